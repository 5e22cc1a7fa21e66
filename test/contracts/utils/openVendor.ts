import { keysHashOf } from "@haca/attestation/binding";
import type { KnownVendor } from "@haca/attestation/vendors";
import { AbiCoder, hexlify } from "ethers";

const CLAIMS =
  "(bytes32 measurement,bytes32 keysHash,bytes32 binding,uint64 issuedAt,bytes32 signer)";

/** What evidence for `OpenVerifier` says. */
export type OpenClaims = {
  measurement: string;
  keysHash: string;
  binding: string;
  issuedAt: bigint;
  signer: string;
};

export const encodeOpenClaims = (claims: OpenClaims): string =>
  AbiCoder.defaultAbiCoder().encode([CLAIMS], [claims]);

const read = (evidence: Uint8Array): OpenClaims =>
  AbiCoder.defaultAbiCoder().decode([CLAIMS], evidence)[0].toObject();

/** A second vendor, off-chain: `OpenVerifier`'s, which believes what it is told and keeps no certificates. */
export const openVendor: KnownVendor = {
  name: "open",
  verifierId: 1,
  evidenceType: "test.open",
  // No deployment has one: the address book has no name for it.
  verifier: "NitroAttestationVerifier",
  root: { owner: "nobody", fingerprint: `0x${"00".repeat(32)}` },
  measurementParts: [{ name: "digest", length: 32 }],
  measurementOf: ([digest = "0x"]) => digest,
  challengeOf: (binding) => binding,
  judge({ evidence }) {
    const { measurement, issuedAt, signer } = read(evidence);
    return {
      ...{ measurement, issuedAt, errors: [] },
      fields: [["digest", measurement]],
      certificates: [{ subject: "signer", id: signer, notBefore: 0n, notAfter: issuedAt }],
      certificateCount: 1,
    };
  },
  mismatches({ evidence, subject }) {
    const { binding, keysHash } = read(evidence);
    const keys = keysHashOf({
      tlsCertificate: hexlify(subject.tlsCertificate),
      signingKey: hexlify(subject.signingKey),
    });
    return [
      ...(binding === subject.binding ? [] : ["it is bound to something else"]),
      ...(keysHash === keys ? [] : ["it vouches for other keys"]),
    ];
  },
  chainOf: () => [],
  hintsOf: async () => [],
};
