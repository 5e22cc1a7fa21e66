/**
 * Whose verifier is set under which id in the TEE registry. Nothing else tells vendors apart off-chain: a vendor's
 * formats are in a folder of `@haca/attestation`.
 */
export const VERIFIER_IDS = {
  /** AWS Nitro enclaves; legacy entry points speak of it alone */
  nitro: 0,
} as const;
