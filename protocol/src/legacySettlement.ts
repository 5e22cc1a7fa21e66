import { AbiCoder, concat, keccak256, toBeHex } from "ethers";

/**
 * Formats of the public network's clients: an enclave's signature over two hashes and a time, and a leaf of a batch.
 * Chain, contract, model and requester are not part of what is signed.
 */
export type LegacyResult = {
  /** keccak256 of the enclave's public key (SPKI, DER) */
  teeId: string;
  inputHash: string;
  outputHash: string;
  /** RSA-PSS over SHA-256 of the message; bytes as hex */
  signature: string;
  /** unix seconds */
  timestamp: bigint;
};

/** Types of a leaf, in the order in which they are encoded. */
export const LEGACY_LEAF_TYPES = ["bytes32", "bytes32", "bytes32", "bytes", "uint256"] as const;

/** What the enclave signs, and the key of the result: keccak256(inputHash || outputHash || uint256 timestamp). */
export function legacyMessageHash(parameters: {
  inputHash: string;
  outputHash: string;
  timestamp: bigint;
}): string {
  const { inputHash, outputHash, timestamp } = parameters;
  return keccak256(concat([inputHash, outputHash, toBeHex(timestamp, 32)]));
}

/** keccak256(keccak256(abi.encode(teeId, inputHash, outputHash, signature, timestamp))) */
export function legacyLeaf(result: LegacyResult): string {
  const { teeId, inputHash, outputHash, signature, timestamp } = result;
  return keccak256(
    keccak256(
      AbiCoder.defaultAbiCoder().encode(LEGACY_LEAF_TYPES, [
        teeId,
        inputHash,
        outputHash,
        signature,
        timestamp,
      ]),
    ),
  );
}
