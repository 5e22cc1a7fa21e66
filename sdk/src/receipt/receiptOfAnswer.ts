import { bytesOfBase64, keccak, toHex } from "../bytes.ts";
import { fieldsOf, lowerCase, messageOf, readText } from "./answerReaders.ts";
import { canonicalJson } from "./canonicalJson.ts";
import { makeReceipt } from "./makeReceipt.ts";
import { malformed, nullable } from "./readers.ts";
import type { Receipt } from "./receipt.ts";

/** What of an answer is signed in the profile `haca-1`; what is absent is null. */
const SIGNED_FIELDS = ["choices", "model", "system_fingerprint", "usage"] as const;

/**
 * The receipt of a gateway's answer in the profile `haca-1` (docs/gateway.md). Says nothing of whether it is right: that is for
 * `verify`, by which what does not fit is refuted.
 * @param parameters.request what was asked, as it was sent, parsed
 * @param parameters.answer what came, parsed, with the field `haca`; streams put together
 * @param parameters.signingKey what `GET /signing-key` answers, parsed
 * @param parameters.document attestation document of the gateway's enclave
 * @throws BaseError `format.malformed`, where the answer has not what a receipt needs
 */
export function receiptOfAnswer(parameters: {
  request: unknown;
  answer: unknown;
  signingKey: unknown;
  document?: Uint8Array;
  /** from which nothing is concluded */
  hints?: Readonly<Record<string, string>>;
}): Receipt {
  const { request, answer, signingKey, document, hints = {} } = parameters;
  const fields = fieldsOf(answer, "answer");
  const signed = fieldsOf(fields.haca, "answer.haca");
  if (signed.profile !== "haca-1") throw malformed("answer.haca.profile", "must be haca-1");
  const key = keyIn(signingKey);
  const documentHex = document === undefined ? undefined : toHex(document);
  const output = Object.fromEntries(SIGNED_FIELDS.map((field) => [field, fields[field] ?? null]));
  return makeReceipt({
    core: {
      chainId: readText(signed.chainId, "answer.haca.chainId"),
      settlement: lowerCase(signed.settlement, "answer.haca.settlement"),
      message: messageOf(signed.message, "answer.haca.message"),
      signature: lowerCase(signed.signature, "answer.haca.signature"),
      ...key,
      attestation: documentHex === undefined ? null : keccak(documentHex),
      input: {
        type: "text",
        salt: lowerCase(signed.salt, "answer.haca.salt"),
        text: canonicalJson(request),
      },
      output: { type: "text", text: canonicalJson(output) },
    },
    evidence: documentHex === undefined ? [] : [{ type: "attestation", document: documentHex }],
    hints,
  });
}

/** What `GET /signing-key` says: the enclave's key, and the account that it has certified. @throws BaseError `format.malformed` */
export function keyIn(signingKey: unknown): Pick<Receipt["core"], "session"> & { key: string } {
  const fields = fieldsOf(signingKey, "signingKey");
  return {
    key: derOf(readText(fields.public_key, "signingKey.public_key")),
    session: nullable(lowerCase)(fields.session_key, "signingKey.session_key"),
  };
}

/** The bytes of a public key in PEM. */
function derOf(pem: string): string {
  const [, base64 = ""] =
    /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(pem) ?? [];
  try {
    const bytes = bytesOfBase64(base64.replaceAll(/\s/g, ""));
    if (bytes.length > 0) return toHex(bytes);
  } catch {
    // Said below.
  }
  throw malformed("signingKey.public_key", "must be a public key in PEM");
}
