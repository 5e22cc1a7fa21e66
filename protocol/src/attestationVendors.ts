import type { ListedName } from "./contracts.ts";

/** What the contracts call a vendor of evidence, and where they keep it. */
export type VendorRow = {
  /** under which its verifier is set in the TEE registry */
  verifierId: number;
  /** the name whose hash its verifier's `evidenceType` answers */
  evidenceType: string;
  /** the contract that reads its evidence */
  verifier: ListedName;
  /** the contract that keeps its certificates, which the verifier names as `CERTIFICATES`; absent: it keeps none */
  certificateStore?: ListedName;
};

/**
 * The vendors of evidence. A new one is a line here, and one in the table of `@haca/attestation/vendors`, where a folder
 * each reads their formats; nothing else tells them apart off-chain.
 */
export const ATTESTATION_VENDORS = {
  /** AWS Nitro enclaves; legacy entry points speak of it alone */
  nitro: {
    verifierId: 0,
    evidenceType: "aws.nitro.enclave",
    verifier: "NitroAttestationVerifier",
    certificateStore: "CertificateStore",
  },
} as const satisfies Readonly<Record<string, VendorRow>>;

/** A vendor's name, on command lines too. */
export type VendorName = keyof typeof ATTESTATION_VENDORS;

/** The same rows with their names, for whoever looks at each of them. */
export const VENDOR_ROWS: readonly (VendorRow & { name: VendorName })[] = Object.entries(
  ATTESTATION_VENDORS,
).map(([name, row]) => ({ name: name as VendorName, ...row }));
