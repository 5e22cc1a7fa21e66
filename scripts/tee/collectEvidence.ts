import { bindingOf } from "@haca/attestation/binding";
import type { EvidenceResult } from "@haca/attestation/vendor";
import { BaseError } from "@haca/protocol/baseError";
import {
  fetchDocument,
  fetchSigningKey,
  fetchTlsCertificate,
} from "@haca/worker/roles/heartbeat/enclaveClient";
import { type ContractRunner, hexlify, keccak256 } from "ethers";
import { nextBlockTime } from "../lib/chainSession.ts";
import type { Verifier } from "../lib/verifierAt.ts";
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
  result: EvidenceResult;
  /** unix seconds at which the evidence was judged */
  judgedAt: bigint;
  /** its certificates that the store had already, of all below the root */
  storedCertificates: number;
  certificates: number;
};

/**
 * Asks an enclave for its key and for evidence that is bound to the operator's request, takes its TLS certificate from a
 * handshake, judges all of it as the contracts will, and makes the hints: by the verifier's vendor.
 * Errors: `tee.refused` where the registry would refuse, with every reason; `enclave.*`.
 */
export async function collectEvidence(parameters: {
  contracts: Pick<TeeContracts, "chainId" | "registry">;
  verifier: Pick<Verifier, "vendor" | "store"> & { verifierId: number };
  runner: ContractRunner;
  request: AdmissionRequest;
}): Promise<Evidence> {
  const { contracts, verifier, runner, request } = parameters;
  const { chainId, registry } = contracts;
  const { verifierId, vendor, store } = verifier;
  const { enclave: url, operator, paymentAddress, endpoint, teeType } = request;
  const binding = bindingOf({
    ...{ chainId, registry: registry.target, operator },
    ...{ paymentAddress, endpoint, teeType },
  });
  const signingKey = await fetchSigningKey({ url });
  const tlsCertificate = await fetchTlsCertificate(hostOf(request.tls ?? endpoint));
  const evidence = await fetchDocument({ url, nonce: vendor.challengeOf(binding) });
  const judgedAt = await nextBlockTime(runner.provider);
  const rootFingerprint = await store?.rootFingerprint();
  const result = vendor.judge({
    ...{ evidence, now: judgedAt },
    ...(rootFingerprint === undefined ? {} : { rootFingerprint }),
  });
  const reasons = [
    ...result.errors.map(({ message }) => message),
    ...vendor.mismatches({ evidence, subject: { binding, tlsCertificate, signingKey } }),
  ];
  if (reasons.length > 0) throw refused(reasons);
  if (!(await registry.isImageApproved(result.measurement, teeType, verifierId))) {
    throw refused([`image ${result.measurement} is not approved for this type`]);
  }

  let storedCertificates = 0;
  const hints = await vendor.hintsOf({
    evidence,
    async isStored(id) {
      const isStored = (await store?.isStored(id)) ?? false;
      if (isStored) storedCertificates += 1;
      return isStored;
    },
  });
  return {
    registration: {
      verifierId,
      evidence: hexlify(evidence),
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
