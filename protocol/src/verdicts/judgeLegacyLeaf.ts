import { dataLength } from "ethers";
import {
  hashLegacyLeaf,
  LEGACY_MINIMUM_SIGNATURE_LENGTH,
  type LegacyLeaf,
  legacyMessageHash,
} from "../legacySettlement.ts";
import { isMerkleProof } from "../merkleTree.ts";
import { isSignedByKey } from "./signatures.ts";
import { type EnclaveState, isWithin, type Span } from "./verdict.ts";

/** A node as `LegacySettlement` looks at it: not in service alone, but active. */
export type LegacyNode = Pick<EnclaveState, "signingKey"> & {
  /** when the registry's `isActiveAt` says yes; never after now */
  active: readonly Span[];
};

/** What `LegacySettlement.verifySignatureNoTimestamp` says: whether a node that was active then signed the answer. */
export async function isLegacySigned(parameters: {
  leaf: LegacyLeaf;
  /** by their ids; who is not there is not known */
  nodes: ReadonlyMap<string, LegacyNode>;
}): Promise<boolean> {
  const { leaf, nodes } = parameters;
  const node = nodes.get(leaf.teeId);
  if (node === undefined || dataLength(leaf.teeSignature) < LEGACY_MINIMUM_SIGNATURE_LENGTH) {
    return false;
  }
  if (!node.active.some((span) => isWithin(span, leaf.timestamp))) return false;
  return isSignedByKey({
    signingKey: node.signingKey,
    ...{ message: legacyMessageHash(leaf), signature: leaf.teeSignature },
  });
}

/** What `LegacySettlement.verifyInclusion` says of a leaf under a root. */
export async function judgeLegacyLeaf(parameters: {
  leaf: LegacyLeaf;
  proof: readonly string[];
  root: string;
  /** whether the sender in question anchored the root, with its size and blob */
  isAnchored: boolean;
  nodes: ReadonlyMap<string, LegacyNode>;
}): Promise<boolean> {
  const { leaf, proof, root, isAnchored, nodes } = parameters;
  if (!isAnchored || !isMerkleProof({ proof, root, leafHash: hashLegacyLeaf(leaf) })) return false;
  return isLegacySigned({ leaf, nodes });
}
