import { model, modelVersion } from "ponder:schema";
import { type TensorLayout, wordCount } from "@haca/protocol/packedWords";
import { registeredInputMode } from "@haca/protocol/registeredInputMode";
import { type Hex, zeroHash } from "viem";
import { on } from "./on.ts";

const unlessZero = (hash: Hex): Hex | null => (hash === zeroHash ? null : hash);

/** A version without a circuit has no tensors, and no words. */
const countWords = (layout: readonly TensorLayout[]): number =>
  layout.length === 0 ? 0 : wordCount(layout);

on("ModelRegistry:ModelRegistered", async ({ event, context }) => {
  await context.db.insert(model).values({
    id: event.args.modelId,
    owner: event.args.owner,
    slug: event.args.slug,
    createdAt: event.block.timestamp,
    versionCount: 0,
    settledCount: 0,
    verifiedCount: 0,
    pagedCount: 0,
    transactionHash: event.transaction.hash,
    blockNumber: event.block.number,
  });
});

on("ModelRegistry:VersionPublished", async ({ event, context }) => {
  const inputLayout = [...event.args.inputLayout];
  const outputLayout = [...event.args.outputLayout];
  const circuitHash = unlessZero(event.args.circuitHash);
  const inputMode = registeredInputMode(event.args.inputMode);
  await context.db.insert(modelVersion).values({
    id: event.args.versionId,
    modelId: event.args.modelId,
    major: BigInt(event.args.major),
    minor: BigInt(event.args.minor),
    status: "published",
    publishedAt: event.block.timestamp,
    modelHash: event.args.modelHash,
    blobId: event.args.blobId,
    circuitHash,
    csHash: event.args.csHash === "0x" ? null : event.args.csHash,
    transcriptHash: unlessZero(event.args.transcriptHash),
    verifyingKeyHash: unlessZero(event.args.verifyingKeyHash),
    inputMode: circuitHash === null ? null : inputMode,
    inputLayout,
    outputLayout,
    // a commitment is one word: under it there may be more elements than fit any memory
    inputWords: inputMode === "committed" ? 1 : countWords(inputLayout),
    outputWords: countWords(outputLayout),
    settledCount: 0,
    verifiedCount: 0,
    pagedCount: 0,
    transactionHash: event.transaction.hash,
    blockNumber: event.block.number,
  });
  await context.db
    .update(model, { id: event.args.modelId })
    .set((row) => ({ versionCount: row.versionCount + 1 }));
});

on("ModelRegistry:VersionDeprecated", async ({ event, context }) => {
  await context.db
    .update(modelVersion, { id: event.args.versionId })
    .set({ status: "deprecated", deprecatedAt: event.block.timestamp });
});
