import type { Context } from "ponder:registry";
import { model, modelVersion, node, page as pageTable, settlement } from "ponder:schema";
import type { PageResult } from "@haca/protocol/blobs/pageBlob";
import { placesOf } from "@haca/protocol/pageSettlement";
import { encodeRequestId } from "@haca/protocol/requestId";
import { nonceOfPlace } from "@haca/protocol/resultPage";
import type { Hex } from "viem";
import type { Reading } from "./readResults.ts";

type Page = typeof pageTable.$inferSelect;

const requestIdOf = (page: Page, index: number): Hex =>
  encodeRequestId({
    node: page.nodeAddress,
    nonce: nonceOfPlace({ page: page.number, index }),
  }) as Hex;

/** Notes what was found of a page's blob and, where that is its results, writes a row for each. */
export async function writeReading(parameters: {
  context: Context;
  page: Page;
  reading: Reading;
}): Promise<void> {
  const { context, page, reading } = parameters;
  const { blob, blobError } = reading;
  if (blob === page.blob && blobError === page.blobError) return;
  await context.db.update(pageTable, { id: page.id }).set({ blob, blobError });
  if (reading.blob !== "read") return;
  for (const result of reading.results) await writeResult({ context, page, result });
  await countForNode({ context, page, change: reading.results.length });
}

async function writeResult(parameters: {
  context: Context;
  page: Page;
  result: PageResult;
}): Promise<void> {
  const { context, page, result } = parameters;
  const { index, signature, words: _, ...message } = result;
  const requestId = requestIdOf(page, index);
  const versionId = message.modelVersion as Hex;
  const version = await context.db.find(modelVersion, { id: versionId });
  // A plain insert: the ledger gives a request to one page, and a page that is rejected loses its rows.
  await context.db.insert(settlement).values({
    ...{ requestId, nodeAddress: page.nodeAddress, pageId: page.id, versionId },
    nonce: nonceOfPlace({ page: page.number, index }),
    verification: page.kind,
    ...{ batched: false, verified: false, state: "paged" },
    modelId: version?.modelId ?? null,
    requester: message.requester as Hex,
    inputHash: message.inputHash as Hex,
    outputHash: message.outputHash as Hex,
    // Of a page's blob only what is in the leaves: nothing says that words are the right ones but the proof.
    ...{ words: [], inputs: null, outputs: null, label: null },
    ...{ price: message.price, timestamp: message.timestamp },
    teeId: message.teeId as Hex,
    signature: signature as Hex,
    settler: page.sender,
    transactionHash: page.transactionHash,
    gasUsed: page.gasUsed,
    blockNumber: page.blockNumber,
    blockHash: page.blockHash,
    blockTimestamp: page.proposedAt,
    logIndex: page.logIndex,
  });
  if (version !== null) await countForModel({ context, version, change: 1 });
}

/** Takes the rows of a page back that was rejected: its requests are free again. */
export async function removeResults(parameters: { context: Context; page: Page }): Promise<void> {
  const { context, page } = parameters;
  if (page.blob !== "read") return;
  let removed = 0;
  for (const index of placesOf(page)) removed += await removeRow({ context, page, index });
  await countForNode({ context, page, change: -removed });
}

/** Takes the row of one result back, which is settled alone from now on. */
export async function removeResult(parameters: {
  context: Context;
  page: Page;
  index: number;
}): Promise<void> {
  const { context, page } = parameters;
  const removed = await removeRow(parameters);
  if (removed > 0) await countForNode({ context, page, change: -removed });
}

/** @returns how many rows there were of it, none or one */
async function removeRow(parameters: {
  context: Context;
  page: Page;
  index: number;
}): Promise<number> {
  const { context, index, page } = parameters;
  const key = { requestId: requestIdOf(page, index), verification: page.kind };
  const row = await context.db.find(settlement, key);
  if (row === null) return 0;
  await context.db.delete(settlement, key);
  const version = await context.db.find(modelVersion, { id: row.versionId });
  if (version !== null) await countForModel({ context, version, change: -1 });
  return 1;
}

async function countForModel(parameters: {
  context: Context;
  version: { id: Hex; modelId: Hex };
  change: number;
}): Promise<void> {
  const { change, context, version } = parameters;
  const count = (row: { pagedCount: number }) => ({ pagedCount: row.pagedCount + change });
  await context.db.update(modelVersion, { id: version.id }).set(count);
  await context.db.update(model, { id: version.modelId }).set(count);
}

async function countForNode(parameters: {
  context: Context;
  page: Page;
  change: number;
}): Promise<void> {
  const { change, context, page } = parameters;
  await context.db
    .insert(node)
    .values({
      address: page.nodeAddress,
      ...{ settledCount: 0, verifiedCount: 0, pagedCount: change },
      ...{ firstSeenAt: page.proposedAt, lastSeenAt: page.proposedAt },
    })
    .onConflictDoUpdate((row) => ({
      pagedCount: row.pagedCount + change,
      // Rows of a blob that was read late are no younger than what is there.
      ...(page.proposedAt > row.lastSeenAt ? { lastSeenAt: page.proposedAt } : {}),
    }));
}
