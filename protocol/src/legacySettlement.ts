import { AbiCoder, keccak256 } from "ethers";

/**
 * Formats of `LegacySettlement`, which are those of the public network: what an enclave signs, and the leaves of a batch.
 * Hashes are lower-case hex of 32 bytes, times unix seconds.
 */

/** Types of a leaf's fields, in order: `leafEncoding` of a batch's blob. */
export const LEGACY_LEAF_TYPES = ["bytes32", "bytes32", "bytes32", "bytes", "uint256"] as const;

/** Fewest bytes of a signature, those of an RSA key of 2048 bits. The contract calls shorter ones invalid, whoever signed. */
export const LEGACY_MINIMUM_SIGNATURE_LENGTH = 256;

/** Bytes that a blob id may have in the contract. */
export const MAXIMUM_BLOB_ID_LENGTH = 128;

/** How old an answer may be for `LegacySettlement.verifySignature`, in seconds. */
export const LEGACY_MAXIMUM_AGE = 60n * 60n;

/** What an enclave signs. */
export type LegacyMessage = {
  /** hash of the request */
  inputHash: string;
  /** hash of the answer */
  outputHash: string;
  /** when the enclave says that it answered */
  timestamp: bigint;
};

/** One answer in a batch. */
export type LegacyLeaf = LegacyMessage & {
  /** the node that signed */
  teeId: string;
  /** RSA-PSS over SHA-256 of the message hash, hex */
  teeSignature: string;
};

const coder = AbiCoder.defaultAbiCoder();

/** `LegacySettlement.computeMessageHash`: keccak256(inputHash | outputHash | uint256 timestamp). */
export function legacyMessageHash(message: LegacyMessage): string {
  const { inputHash, outputHash, timestamp } = message;
  return keccak256(
    coder.encode(["bytes32", "bytes32", "uint256"], [inputHash, outputHash, timestamp]),
  );
}

/** `LegacySettlement.hashLeaf`: keccak256(keccak256(abi.encode(the five fields))). A batch is a tree of these, `merkleTree.ts`. */
export function hashLegacyLeaf(leaf: LegacyLeaf): string {
  const { teeId, inputHash, outputHash, teeSignature, timestamp } = leaf;
  const values = [teeId, inputHash, outputHash, teeSignature, timestamp];
  return keccak256(keccak256(coder.encode(LEGACY_LEAF_TYPES, values)));
}
