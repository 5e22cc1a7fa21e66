import { BlobError } from "@haca/protocol/blobs/blobError";
import { type BlobStore, putAndReadBack } from "@haca/protocol/blobs/blobStore";
import type { TransactionReceipt } from "ethers";
import type { Logger } from "pino";
import { describeError, RetryableError } from "../../errors.ts";
import { backoffMs } from "../../repeat.ts";
import type { Database } from "../../storage/database.ts";
import type { Sender } from "../../transactions/sender.ts";
import { WouldRevertError } from "../../transactions/sendTransaction.ts";
import { ALREADY_SETTLED, encodeCall, encodeCallBlob } from "./relayContract.ts";
import {
  type BatchLimits,
  type CallChange,
  changeCall,
  formCalls,
  leaseCalls,
  type RelayedCall,
  releaseCall,
} from "./relayedCalls.ts";

/** Calls that a pass advances. */
export const LOT = 8;
const BACKOFF = { baseMs: 1_000, maximumMs: 300_000 };

export type FacilitateContext = {
  database: Database;
  blobs: BlobStore;
  sender: Sender;
  /** address of the relay contract */
  relay: string;
  limits: BatchLimits;
  /** name under which this process leases calls */
  owner: string;
  /** longer than a pass over one lot can take */
  leaseSeconds: number;
  logger: Logger;
};

/**
 * Forms calls of what was accepted and brings each a few steps on: content stored and read back, transaction sent,
 * receipt found. Every step is on disk before the next, and can be made again: a blob has one content, a batch that is
 * anchored twice by one sender is anchored once. A store or an endpoint that fails delays, and loses nothing.
 */
export function createFacilitatePass(context: FacilitateContext): () => Promise<boolean> {
  const { database, leaseSeconds, limits, owner, sender } = context;
  return async () => {
    const mined = new Map(
      (await sender.tend()).map(({ purpose, receipt }) => [purpose, receipt] as const),
    );
    const formed = await formCalls({ database, limits });
    const calls = await leaseCalls({ database, owner, leaseSeconds, limit: LOT });
    const open = await sender.listOpen();
    let changes = 0;
    for (const call of calls) {
      const receipt = mined.get(purposeOf(call));
      const pending = open.get(purposeOf(call));
      if (await advance({ context, call, receipt, pending })) changes += 1;
    }
    return formed + changes > 0;
  };
}

/** Names a call's transaction, so that it is found after a crash. */
const purposeOf = ({ id, kind }: Pick<RelayedCall, "id" | "kind">): string =>
  `legacy ${kind} ${id}`;

/** Takes a call as far as it goes, and gives it back. Returns whether it got further. */
async function advance(parameters: {
  context: FacilitateContext;
  call: RelayedCall;
  receipt: TransactionReceipt | undefined;
  pending: string | undefined;
}): Promise<boolean> {
  const { context, call, pending } = parameters;
  const { database, logger, owner, sender } = context;
  const { id } = call;
  const change = (step: CallChange) => changeCall({ database, owner, id, change: step });
  let isUnsent = false;
  let hasChanged = false;
  try {
    const receipt =
      parameters.receipt ??
      (call.state === "sent" && call.transactionHash !== null
        ? await sender.findReceipt(call.transactionHash)
        : undefined);
    if (receipt?.status === 1) {
      await change({ state: "settled", transactionHash: receipt.hash });
      logger.info(
        { call: id, kind: call.kind, size: call.submissions.length, transaction: receipt.hash },
        "settled",
      );
      return true;
    }
    // Reverted, or gone without a receipt: it is sent again, after a simulation that may say why not.
    isUnsent = call.state === "sent" && pending === undefined;
    if (receipt !== undefined) throw reverted(receipt);
    if (pending !== undefined) {
      // Also of a process that died between recording it and saying so, and of what was replaced with higher fees.
      hasChanged = call.state !== "sent";
      await change({ state: "sent", transactionHash: pending });
    } else if (!isUnsent) {
      const blobId = call.blobId ?? (await store({ context, call }));
      hasChanged = call.blobId === null;
      if (await send({ context, call, blobId })) hasChanged = true;
    } else {
      logger.warn({ call: id, transaction: call.transactionHash }, "its transaction is gone");
    }
    await releaseCall({ database, owner, id, isUnsent });
    return hasChanged || isUnsent;
  } catch (error) {
    if (!(error instanceof RetryableError || error instanceof BlobError)) throw error;
    const delayMs = backoffMs({ ...BACKOFF, failures: call.attempts + 1 });
    const words = `${error.code}: ${describeError(error)}`;
    logger.warn({ call: id, error: words, retryInMs: Math.round(delayMs) }, "not settled: later");
    await releaseCall({
      ...{ database, owner, id, isUnsent },
      error: words,
      delaySeconds: delayMs / 1_000,
    });
    return false;
  }
}

/** Has the content stored, and reads it back before anything on the chain says that it is there. */
async function store(parameters: {
  context: FacilitateContext;
  call: RelayedCall;
}): Promise<string> {
  const { context, call } = parameters;
  const { blobs, database, owner } = context;
  const { id: blobId } = await putAndReadBack({ store: blobs, bytes: encodeCallBlob(call) });
  await changeCall({ database, owner, id: call.id, change: { state: "stored", blobId } });
  return blobId;
}

/** Sends the call. Returns whether it got further; where gas is above the ceiling, it did not. */
async function send(parameters: {
  context: FacilitateContext;
  call: RelayedCall;
  blobId: string;
}): Promise<boolean> {
  const { context, call, blobId } = parameters;
  const { database, owner, relay, sender } = context;
  const change = (step: CallChange) => changeCall({ database, owner, id: call.id, change: step });
  try {
    const data = encodeCall({ call, blobId });
    const sent = await sender.send({ purpose: purposeOf(call), to: relay, data });
    if (sent === undefined) return false;
    await change({ state: "sent", transactionHash: sent.hash });
    return true;
  } catch (error) {
    if (!(error instanceof WouldRevertError)) throw error;
    const { message } = error.revert;
    if (call.kind === "individual" && message.includes(ALREADY_SETTLED)) {
      await change({ state: "settled", transactionHash: null });
      return true;
    }
    if (call.kind === "individual") {
      await change({ state: "failed", failure: message });
      return true;
    }
    // Nothing that is in a batch can make the contract refuse it: what does is for a person to mend.
    throw new RetryableError({ code: error.code, message: error.message, cause: error });
  }
}

const reverted = ({ blockNumber, hash }: TransactionReceipt): RetryableError =>
  new RetryableError({
    code: "transaction.reverted",
    message: `transaction ${hash} reverted in block ${blockNumber}`,
  });
