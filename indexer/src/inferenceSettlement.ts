import type { Context, Event } from "ponder:registry";
import { ledgerWriter, model, modelVersion, node, settlement } from "ponder:schema";
import { decodeRequestId } from "@haca/protocol/requestId";
import { getAddress, zeroHash } from "viem";
import { batchWords } from "./batchWords.ts";
import { on } from "./on.ts";
import { decodeTensors, labelOf } from "./tensors.ts";
import { verificationName } from "./verificationName.ts";

const ZKML = 1;

on("InferenceSettlement:InferenceSettled", async ({ event, context }) => {
  const { verification, words, teeId } = event.args;
  const record = { verification, teeId, batched: false, wordsOf: () => [...words] };
  await recordSettlement({ event, context, record });
});

on("InferenceSettlement:ZkmlBatchItemSettled", async ({ event, context }) => {
  const { requestId, inputHash, outputHash } = event.args;
  const { nonce } = decodeRequestId(requestId);
  const { input } = event.transaction;
  const wordsOf = (words: WordCounts) =>
    batchWords({ input, nonce, inputHash, outputHash, ...words });
  const record = { verification: ZKML, teeId: zeroHash, batched: true, wordsOf };
  await recordSettlement({ event, context, record });
});

on("InferenceSettlement:LedgerWriterChanged", async ({ event, context }) => {
  const { writer: address, allowed: isAllowed } = event.args;
  const changed = {
    ...{ isAllowed, changedAt: event.block.timestamp },
    transactionHash: event.transaction.hash,
  };
  await context.db
    .insert(ledgerWriter)
    .values({ address, ...changed })
    .onConflictDoUpdate(changed);
});

type WordCounts = { inputWords: number; outputWords: number };

/** What the two events say in different ways, or one of them not at all. */
type Record = {
  verification: number;
  teeId: `0x${string}`;
  batched: boolean;
  /** packed words of a version that has so many; none if they are not on the chain */
  wordsOf: (words: WordCounts) => bigint[];
};

async function recordSettlement(parameters: {
  event: Event<"InferenceSettlement:InferenceSettled" | "InferenceSettlement:ZkmlBatchItemSettled">;
  context: Context;
  record: Record;
}): Promise<void> {
  const { event, context, record } = parameters;
  const { args, block, log, transaction, transactionReceipt } = event;
  const { node: nodeAccount, nonce } = decodeRequestId(args.requestId);
  const nodeAddress = getAddress(nodeAccount);
  const verification = verificationName(record.verification);
  const verified = verification !== "vanilla";
  const verifiedIncrement = verified ? 1 : 0;

  const version = await context.db.find(modelVersion, { id: args.modelVersion });
  const { inputWords, outputWords } = version ?? { inputWords: 0, outputWords: 0 };
  const words = record.wordsOf({ inputWords, outputWords });
  const tensors =
    version === null || words.length === 0 ? null : decodeTensors({ ...version, words });
  const label =
    version === null || tensors === null ? null : labelOf({ ...version, outputs: tensors.outputs });

  // A plain insert: a request settles at most once, and is recorded as Vanilla at most once. A second row would mean that
  // the tables no longer follow the chain. Stopping is better than counting twice.
  await context.db.insert(settlement).values({
    requestId: args.requestId,
    nodeAddress,
    nonce,
    verification,
    batched: record.batched,
    verified,
    state: verified ? "settled" : "recorded",
    ...{ pageId: null, signature: null },
    versionId: args.modelVersion,
    modelId: version?.modelId ?? null,
    requester: args.requester,
    inputHash: args.inputHash,
    outputHash: args.outputHash,
    words: words.map(String),
    inputs: tensors?.inputs ?? null,
    outputs: tensors?.outputs ?? null,
    label,
    price: args.price,
    timestamp: args.timestamp,
    teeId: record.teeId,
    settler: transaction.from,
    transactionHash: transaction.hash,
    gasUsed: transactionReceipt.gasUsed,
    blockNumber: block.number,
    blockHash: block.hash,
    blockTimestamp: block.timestamp,
    logIndex: log.logIndex,
  });

  await context.db
    .insert(node)
    .values({
      address: nodeAddress,
      settledCount: 1,
      verifiedCount: verifiedIncrement,
      pagedCount: 0,
      firstSeenAt: block.timestamp,
      lastSeenAt: block.timestamp,
    })
    .onConflictDoUpdate((row) => ({
      settledCount: row.settledCount + 1,
      verifiedCount: row.verifiedCount + verifiedIncrement,
      lastSeenAt: block.timestamp,
    }));

  if (version !== null) {
    const count = (row: { settledCount: number; verifiedCount: number }) => ({
      settledCount: row.settledCount + 1,
      verifiedCount: row.verifiedCount + verifiedIncrement,
    });
    await context.db.update(modelVersion, { id: version.id }).set(count);
    await context.db.update(model, { id: version.modelId }).set(count);
  }
}
