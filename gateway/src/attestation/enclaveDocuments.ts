import { createPublicKey } from "node:crypto";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { getBytes, hexlify, sha256 } from "ethers";
import { RefusedRequestError } from "../gatewayError.ts";

const SHA256_MULTIHASH = "1220";
const NONCE = /^[0-9a-fA-F]{40}$/;
/** Bytes of a document in base64, at most. */
const MAXIMUM_ANSWER = 65_536;
const WITHIN_MS = 10_000;

/** Documents of the enclave that the gateway signs for, for clients who ask whose key it is. */
export class EnclaveDocuments {
  readonly #url: string;
  /** of the gateway's key, as the user data of a document ends */
  readonly #keyHash: string;
  /** of the certificate that the gateway shows, as they begin; undefined where it shows none */
  readonly #certificateHash: string | undefined;

  /**
   * @param parameters.url of the enclave's public side, without a slash at the end
   * @param parameters.publicKey that it attests, in PEM
   * @param parameters.certificate that it attests and the gateway shows, DER; absent where the gateway ends no TLS
   */
  constructor(parameters: {
    url: string;
    publicKey: string;
    certificate?: Uint8Array | undefined;
  }) {
    const { certificate } = parameters;
    this.#url = parameters.url;
    this.#certificateHash = certificate && `0x${SHA256_MULTIHASH}${sha256(certificate).slice(2)}`;
    const key = createPublicKey(parameters.publicKey).export({ type: "spki", format: "der" });
    this.#keyHash = SHA256_MULTIHASH + sha256(key).slice(2);
  }

  /**
   * A document for a client's nonce, in base64, as text with a line end. It is not judged here, but one that would register
   * the enclave, or is of another key or certificate, does not leave.
   * @param nonce 40 hex digits
   * @throws RefusedRequestError
   */
  async documentFor(nonce: string): Promise<string> {
    if (!NONCE.test(nonce)) {
      const message = "nonce: must be 40 hex digits";
      throw new RefusedRequestError({
        ...{ status: 400, code: "nonce.malformed", field: "nonce", message },
      });
    }
    const text = (await this.#ask(nonce.toLowerCase())).trim();
    const document = this.#read(text);
    if (document.nonce === null || hexlify(document.nonce) !== clientNonce(`0x${nonce}`)) {
      throw unusable("it is not one for clients: HACA_GATEWAY_ENCLAVE must be its public side");
    }
    if (!hexlify(document.userData ?? "0x").endsWith(this.#keyHash)) {
      throw unusable("it is of another key than the gateway's");
    }
    if (!hexlify(document.userData ?? "0x").startsWith(this.#certificateHash ?? "")) {
      throw unusable("it is of another certificate than HACA_GATEWAY_TLS_CERTIFICATE");
    }
    return `${text}\n`;
  }

  #read(text: string) {
    try {
      return parseDocument(getBytes(`0x${Buffer.from(text, "base64").toString("hex")}`));
    } catch (cause) {
      throw unusable("it cannot be read", cause);
    }
  }

  async #ask(nonce: string): Promise<string> {
    const url = `${this.#url}/enclave/attestation?nonce=${nonce}`;
    try {
      const response = await get(url, AbortSignal.timeout(WITHIN_MS));
      const parts: Buffer[] = [];
      let left = MAXIMUM_ANSWER;
      for await (const part of response as AsyncIterable<Buffer>) {
        left -= part.length;
        if (left < 0) break;
        parts.push(part);
      }
      if (response.statusCode === 200 && left >= 0) return Buffer.concat(parts).toString("latin1");
      throw unusable(left < 0 ? "it is too large" : `it answers with ${response.statusCode}`);
    } catch (cause) {
      if (cause instanceof RefusedRequestError) throw cause;
      const message = "the enclave does not answer";
      throw new RefusedRequestError({ status: 502, code: "enclave.away", message, cause });
    }
  }
}

/** A document vouches for the enclave's certificate, and for itself: no authority signs the certificate. */
const get = (url: string, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sent = url.startsWith("https:")
      ? requestHttps(url, { signal, agent: false, rejectUnauthorized: false }, resolve)
      : requestHttp(url, { signal, agent: false }, resolve);
    sent.on("error", reject);
    sent.end();
  });

const unusable = (reason: string, cause?: unknown): RefusedRequestError =>
  new RefusedRequestError({
    status: 502,
    code: "enclave.unusable",
    message: `the enclave's document is not passed on: ${reason}`,
    cause,
  });
