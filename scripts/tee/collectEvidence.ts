import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { type DocumentVerdict, verifyDocument } from "@haca/attestation/nitro/verifyDocument";
import { VERIFIER_IDS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import {
  fetchDocument,
  fetchSigningKey,
  fetchTlsCertificate,
} from "@haca/worker/roles/heartbeat/enclaveClient";
import { type ContractRunner, hexlify, keccak256, sha256 } from "ethers";
import { nextBlockTime } from "../lib/chainSession.ts";
import type { TeeContracts } from "./teeContracts.ts";

/** What an operator asks the registry for. */
export type AdmissionRequest = {
  /** base URL of the enclave's gateway */
  enclave: string;
  operator: string;
  paymentAddress: string;
  endpoint: string;
  teeType: number;
  /** `host:port` that shows the TLS certificate; the endpoint's if left out */
  tls: string | undefined;
};

/** The argument of `register` and `renew`, as `ITEERegistry.Registration`. */
export type Registration = {
  verifierId: number;
  evidence: string;
  hints: string[];
  signingKey: string;
  tlsCertificate: string;
  paymentAddress: string;
  endpoint: string;
  teeType: number;
};

export type Evidence = {
  registration: Registration;
  teeId: string;
  result: DocumentVerdict;
  /** unix seconds at which the document was judged */
  judgedAt: bigint;
  /** certificates of the document that the store had already, of all below the root */
  storedCertificates: number;
  certificates: number;
};

const SHA256_MULTIHASH = "1220";

/**
 * Asks an enclave for its key and for a document that is bound to the operator's request, takes its TLS certificate from a
 * handshake, judges all of it as the contracts will, and makes the hints.
 * Errors: `tee.refused` where the registry would refuse, with every reason; `enclave.*`.
 */
export async function collectEvidence(parameters: {
  contracts: TeeContracts;
  runner: ContractRunner;
  request: AdmissionRequest;
}): Promise<Evidence> {
  const { contracts, runner, request } = parameters;
  const { chainId, registry, store, rootFingerprint } = contracts;
  const { enclave: url, operator, paymentAddress, endpoint, teeType } = request;
  const nonce = bindingNonce({
    ...{ chainId, registry: registry.target, operator },
    ...{ paymentAddress, endpoint, teeType },
  });
  const signingKey = await fetchSigningKey({ url });
  const tlsCertificate = await fetchTlsCertificate(hostOf(request.tls ?? endpoint));
  const document = await fetchDocument({ url, nonce });
  const judgedAt = await nextBlockTime(runner.provider);
  const result = verifyDocument({ bytes: document, now: judgedAt, rootFingerprint });
  const reasons = [
    ...result.faults.map(({ message }) => message),
    ...mismatches({ result, nonce, signingKey, tlsCertificate }),
  ];
  if (reasons.length > 0) throw refused(reasons);
  if (!(await registry.isImageApproved(result.pcrHash, teeType, VERIFIER_IDS.nitro))) {
    throw refused([`image ${result.pcrHash} is not approved for this type`]);
  }

  let storedCertificates = 0;
  const hints = await documentHints({
    document,
    async isStored(id) {
      const isStored = await store.isStored(id);
      if (isStored) storedCertificates += 1;
      return isStored;
    },
  });
  return {
    registration: {
      verifierId: VERIFIER_IDS.nitro,
      evidence: hexlify(document),
      hints: hints.map((hint) => hexlify(hint)),
      signingKey: hexlify(signingKey),
      tlsCertificate: hexlify(tlsCertificate),
      ...{ paymentAddress, endpoint, teeType },
    },
    teeId: keccak256(signingKey),
    ...{ result, judgedAt, storedCertificates },
    certificates: result.certificateCount - 1,
  };
}

/** What is sound in itself but does not belong to the document: nonce, TLS certificate, signing key. */
function mismatches(parameters: {
  result: DocumentVerdict;
  nonce: string;
  signingKey: Uint8Array;
  tlsCertificate: Uint8Array;
}): string[] {
  const { result, nonce, signingKey, tlsCertificate } = parameters;
  const actualNonce = hexlify(result.document.nonce ?? "0x");
  const actual = hexlify(result.document.userData ?? "0x");
  const part = (bytes: Uint8Array) => SHA256_MULTIHASH + sha256(bytes).slice(2);
  const [tls, key] = [part(tlsCertificate), part(signingKey)];
  const reasons: string[] = [];
  if (actualNonce === clientNonce(nonce)) {
    reasons.push(
      "it is one for clients, whose nonce is hashed: --enclave must be the operator's side of the enclave",
    );
  } else if (actualNonce !== nonce) {
    reasons.push(
      `its nonce is ${actualNonce}, not the one asked for: it is bound to something else`,
    );
  }
  if (actual.length !== 2 + tls.length + key.length) {
    reasons.push(`its user data is ${actual.length / 2 - 1} bytes, expected 68`);
  } else {
    if (actual.slice(2, 2 + tls.length) !== tls) {
      reasons.push("it vouches for another TLS certificate than the one that the endpoint shows");
    }
    if (!actual.endsWith(key)) reasons.push("it vouches for another signing key");
  }
  return reasons;
}

const refused = (reasons: readonly string[]): BaseError =>
  new BaseError({
    code: "tee.refused",
    message: `the registry would refuse this document: ${reasons.join("; ")}`,
  });

/** Host and port of `https://host[:port]/…` or `host:port`. */
function hostOf(place: string): { host: string; port: number } {
  const text = place.includes("://") ? place : `https://${place}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== "https:") {
    throw new BaseError({
      code: "tee.badOption",
      message: `no TLS certificate to be had from ${place}: expected https://host[:port] or host:port`,
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { host, port: url.port === "" ? 443 : Number(url.port) };
}
