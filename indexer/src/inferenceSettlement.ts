import { ponder } from "ponder:registry";
import { model, modelVersion, node, settlement } from "ponder:schema";
import { decodeRequestId } from "@haca/protocol/requestId";
import { getAddress } from "viem";
import { decodeTensors, labelOf } from "./tensors.ts";
import { verificationName } from "./verificationName.ts";

ponder.on("InferenceSettlement:InferenceSettled", async ({ event, context }) => {
  const { args, block, log, transaction, transactionReceipt } = event;
  const { node: nodeAccount, nonce } = decodeRequestId(args.requestId);
  const nodeAddress = getAddress(nodeAccount);
  const verification = verificationName(args.verification);
  const verified = verification !== "vanilla";
  const verifiedIncrement = verified ? 1 : 0;

  const version = await context.db.find(modelVersion, { id: args.modelVersion });
  const tensors = version === null ? null : decodeTensors({ ...version, words: args.words });
  const label =
    version === null || tensors === null ? null : labelOf({ ...version, outputs: tensors.outputs });

  // A plain insert: a request settles at most once, so a second row for it would mean that the tables no
  // longer follow the chain. Stopping is better than counting twice.
  await context.db.insert(settlement).values({
    requestId: args.requestId,
    nodeAddress,
    nonce,
    verification,
    verified,
    state: "settled",
    versionId: args.modelVersion,
    modelId: version?.modelId ?? null,
    requester: args.requester,
    inputHash: args.inputHash,
    outputHash: args.outputHash,
    words: args.words.map(String),
    inputs: tensors?.inputs ?? null,
    outputs: tensors?.outputs ?? null,
    label,
    price: args.price,
    timestamp: args.timestamp,
    teeId: args.teeId,
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
});
