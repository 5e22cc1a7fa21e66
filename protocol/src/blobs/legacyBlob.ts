import { z } from "zod";
import { hashLegacyLeaf, LEGACY_LEAF_TYPES, type LegacyLeaf } from "../legacySettlement.ts";
import { buildMerkleTree, isMerkleProof, merkleRoot } from "../merkleTree.ts";
import { BlobError } from "./blobError.ts";
import type { BlobCheck } from "./blobStore.ts";

/** A batch of the public network's format: its results, in the order of its values, and the root over them. */
export type LegacyBatch = { results: readonly LegacyLeaf[]; root: string };

/** Results in one blob at most: what its reader holds in memory. */
export const MAXIMUM_LEGACY_BATCH = 4_096;

const UINT256_LIMIT = 1n << 256n;
const word = z
  .string()
  .regex(/^(0x)?[0-9a-fA-F]{64}$/, "must be 64 hex digits, with or without 0x");
const value = z.tuple([
  word,
  word,
  word,
  z.string().regex(/^0x([0-9a-fA-F]{2})+$/, "must be 0x and hex digits, two a byte"),
  z
    .string()
    .regex(/^\d{1,78}$/, "must be a decimal number")
    .refine((text) => BigInt(text) < UINT256_LIMIT, "must be below 2^256"),
]);
const blobSchema = z.object({
  format: z.literal("standard-v1"),
  leafEncoding: z
    .array(z.string())
    .refine((types) => types.join() === LEGACY_LEAF_TYPES.join(), "must be that of legacy leaves"),
  tree: z
    .array(word)
    .min(1)
    .max(2 * MAXIMUM_LEGACY_BATCH - 1),
  values: z
    .array(z.object({ value, treeIndex: z.int().nonnegative() }))
    .min(1)
    .max(MAXIMUM_LEGACY_BATCH),
});

/** The root over a batch. Error: `blob.malformed` where it is empty or too large. */
export function legacyRoot(results: readonly LegacyLeaf[]): string {
  return merkleRoot(treeOf(results));
}

/** The blob that readers of the public network load: `standard-v1`, one line of JSON. Errors as `legacyRoot`. */
export function encodeLegacyBlob(results: readonly LegacyLeaf[]): Uint8Array {
  const { nodes, places } = treeOf(results);
  const values = results.map(
    ({ teeId, inputHash, outputHash, teeSignature, timestamp }, index) => ({
      value: [teeId, inputHash, outputHash, teeSignature, timestamp.toString()],
      treeIndex: places[index],
    }),
  );
  const blob = { format: "standard-v1", leafEncoding: LEGACY_LEAF_TYPES, tree: nodes, values };
  return new TextEncoder().encode(JSON.stringify(blob));
}

/**
 * Reads a blob and checks all of its tree: every node by its children, every value by its place, and that every leaf is
 * shown, each once. Public readers leave out the last, so that a leaf can be hidden from them.
 * Error: `blob.malformed` naming what is wrong.
 */
export function decodeLegacyBlob(bytes: Uint8Array): LegacyBatch {
  const blob = parse(bytes);
  const nodes = blob.tree.map(withPrefix);
  const count = blob.values.length;
  if (nodes.length !== 2 * count - 1) {
    throw malformed(`tree: ${nodes.length} nodes are not those of ${count} values`);
  }
  for (let place = 0; place < count - 1; place += 1) {
    const [root = "", leafHash = "", sibling = ""] = [
      nodes[place],
      nodes[2 * place + 1],
      nodes[2 * place + 2],
    ];
    if (!isMerkleProof({ proof: [sibling], root, leafHash })) {
      throw malformed(`tree: node ${place} is not the hash of its children`);
    }
  }
  const shown = new Set<number>();
  const results = blob.values.map(({ value, treeIndex }, index) => {
    const [teeId, inputHash, outputHash, signature, timestamp] = value;
    const result = {
      teeId: withPrefix(teeId),
      inputHash: withPrefix(inputHash),
      outputHash: withPrefix(outputHash),
      teeSignature: signature.toLowerCase(),
      timestamp: BigInt(timestamp),
    };
    if (treeIndex < count - 1 || nodes[treeIndex] !== hashLegacyLeaf(result)) {
      throw malformed(`values.${index}: is not the leaf in place ${treeIndex}`);
    }
    if (shown.has(treeIndex)) throw malformed(`values.${index}: place ${treeIndex} is taken twice`);
    shown.add(treeIndex);
    return result;
  });
  return { results, root: nodes[0] ?? "" };
}

/** The check of a legacy blob by the root and the size that were posted. */
export function withLegacyRoot(expected: { root: string; size?: number }): BlobCheck<LegacyBatch> {
  return (bytes) => {
    const batch = decodeLegacyBlob(bytes);
    const { root, size = batch.results.length } = expected;
    if (batch.root === root.toLowerCase() && batch.results.length === size) return batch;
    throw new BlobError({
      code: "blob.otherContent",
      message: `the blob has root ${batch.root} over ${batch.results.length} results, expected ${root} over ${size}`,
    });
  };
}

function treeOf(results: readonly LegacyLeaf[]) {
  if (results.length === 0 || results.length > MAXIMUM_LEGACY_BATCH) {
    throw malformed(`a batch has 1 to ${MAXIMUM_LEGACY_BATCH} results, got ${results.length}`);
  }
  return buildMerkleTree(results.map(hashLegacyLeaf));
}

function parse(bytes: Uint8Array): z.infer<typeof blobSchema> {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed("the blob is no JSON", cause);
  }
  const parsed = blobSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(`${issue?.path.join(".") || "blob"}: ${issue?.message}`);
}

const withPrefix = (hex: string): string => `0x${hex.replace(/^0x/, "").toLowerCase()}`;

const malformed = (message: string, cause?: unknown): BlobError =>
  new BlobError({ code: "blob.malformed", message, cause });
