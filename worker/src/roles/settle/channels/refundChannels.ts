import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement } from "@haca/protocol/channels";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import {
  attemptsOf,
  type DueRefund,
  expireRefunds,
  leaseRefunds,
  moveRefund,
  pricesOf,
} from "../../../jobs/channelRefunds.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { SettleContext } from "../settleContext.ts";
import type { ChannelPorts } from "./channelPorts.ts";
import { gateInterface, isGate, readViews, termsAt } from "./readGate.ts";

/** Orders that are looked at in one pass. */
const LIMIT = 32;

type Parameters = { context: SettleContext; channels: ChannelPorts; view: ChainView };
type Looking = Parameters & { due: DueRefund };

/**
 * Gives back to payers what their gateways have ordered, and what was charged of the channel stays in it. Of an order one
 * transaction is sent, and never a second: what it would take is what the first has left. Another order waits until the first is
 * as deep as reorganisations are watched for. Returns how many are over.
 */
export async function refundChannels(parameters: Parameters): Promise<number> {
  const { channels, context } = parameters;
  const { database } = context;
  const { lookSeconds: restSeconds } = channels;
  let ended = 0;
  for (const channel of await expireRefunds({ database })) {
    context.logger.warn({ channel }, "nothing of a channel is given back: not sent in time");
    ended += 1;
  }
  for (const due of await leaseRefunds({ database, restSeconds, limit: LIMIT })) {
    if (await look({ ...parameters, due })) ended += 1;
  }
  return ended;
}

async function look(parameters: Looking): Promise<boolean> {
  const { context, due, view } = parameters;
  const { database, reorgBlocks } = context;
  if (due.state === "open") return await order(parameters);
  if (due.state === "sent") return await follow(parameters);
  if (view.head < (due.minedBlock ?? 0) + reorgBlocks) return false;
  return await moveRefund({ database, due, from: "mined", to: "done", ...errorOf(due) });
}

/** What is told of it stays. */
const errorOf = ({ error }: DueRefund) => (error === null ? {} : { error });

const purposeOf = ({ channelId }: DueRefund): string => `refund ${channelId.slice(0, 18)}`;

const openOf = async (context: SettleContext, due: DueRefund) =>
  (await context.store.listOpen()).find(({ purpose }) => purpose === purposeOf(due));

/** Sends what was ordered, unless it cannot be. */
async function order(parameters: Looking): Promise<boolean> {
  const { channels, context, due, view } = parameters;
  const { database, logger } = context;
  const { channel, channelId } = due;
  const { lookSeconds: restSeconds, sendingSeconds } = channels;
  const amount = await amountOf(parameters);
  if (typeof amount === "string") return await refuse(parameters, "open", amount);
  // Noted before it is sent: a process that dies in between has sent nothing, or once.
  const noted = { database, due, from: "open", to: "sent", restSeconds: sendingSeconds } as const;
  if (!(await moveRefund(noted))) return false;
  const data = gateInterface.encodeFunctionData("refund", [channel, amount]);
  const purpose = purposeOf(due);
  const follows = async (transaction: string) =>
    void (await moveRefund({ database, due, from: "sent", to: "sent", transaction, restSeconds }));
  const back = async () =>
    void (await moveRefund({ database, due, from: "sent", to: "open", restSeconds }));
  try {
    const sent = await sendTransaction({ context, view, purpose, to: channel.receiver, data });
    // Gas is above the ceiling.
    if (sent === undefined) {
      await back();
      return false;
    }
    const { hash: transaction } = sent;
    await follows(transaction);
    logger.info({ channel: channelId, transaction }, "giving back of a channel");
    return false;
  } catch (error) {
    if (error instanceof WouldRevertError) {
      return await refuse(parameters, "sent", describeError(error));
    }
    // What is recorded may be mined by now, whatever the endpoint has answered.
    const [recorded] = await attemptsOf({ database, due, purpose });
    await (recorded === undefined ? back() : follows(recorded));
    if (!(error instanceof RefusedByEndpointError)) throw error;
    logger.warn({ channel: channelId, error: describeError(error) }, "giving back: not now");
    return false;
  }
}

/** What goes back now, or why nothing does. */
async function amountOf(parameters: Looking): Promise<bigint | string> {
  const { channels, context, due } = parameters;
  const { channel, channelId, kept, most } = due;
  const { receiver: gate } = channel;
  // The pass may have begun before what the gateway has seen, or somebody has given back meanwhile.
  const block = await answerOf(context.chain.provider.getBlockNumber());
  if (!(await isGate({ context, knownGates: channels.knownGates, gate, block }))) {
    return "no gate of channels is at the receiver's address";
  }
  const terms = await termsAt({ context, gate, block });
  const { address } = context.wallet;
  if (![terms?.node, terms?.payee].includes(address)) {
    return `the worker's account ${address} is neither the gate's node nor its payee`;
  }
  const to = BATCH_SETTLEMENT_ADDRESS;
  const ask = (name: string) => ({
    to,
    data: batchSettlement.encodeFunctionData(name, [channelId]),
  });
  const calls = [
    ask("channels"),
    ask("pendingWithdrawals"),
    { to: gate, data: gateInterface.encodeFunctionData("provenOf", [channelId]) },
  ];
  const [state, pending, proven] = await readViews({ context, calls, block });
  if (state === undefined || pending === undefined || proven === undefined) {
    return "the channel cannot be read";
  }
  const [balance, claimed] = batchSettlement.decodeFunctionResult("channels", state);
  const [, requestedAt] = batchSettlement.decodeFunctionResult("pendingWithdrawals", pending);
  if (requestedAt !== 0n) return "a withdrawal of the channel is asked for";
  const known = await pricesOf({ database: context.database, channelId });
  // What the gateway has lost count of, the queue and the gate may know.
  const stays = [kept, known, BigInt(proven), BigInt(claimed)].reduce((a, b) => (b > a ? b : a));
  const rest = BigInt(balance) - stays;
  if (rest <= 0n) return "nothing is left in the channel beyond what was charged";
  return most !== null && most < rest ? most : rest;
}

async function refuse(parameters: Looking, from: "open" | "sent", error: string): Promise<boolean> {
  const { context, due } = parameters;
  context.logger.warn({ channel: due.channelId, error }, "nothing of a channel is given back");
  const { database } = context;
  return await moveRefund({ database, due, from, to: "refused", error });
}

/** Looks after what was sent. */
async function follow({ context, due, view }: Looking): Promise<boolean> {
  const { database } = context;
  const open = await openOf(context, due);
  if (open !== undefined) {
    const { hash: transaction } = open.transaction;
    if (transaction !== due.transaction) {
      await moveRefund({ database, due, from: "sent", to: "sent", transaction });
    }
    return false;
  }
  const isGivenBack = await isMined(context, due);
  const error = isGivenBack ? {} : { error: "it is not known to have been given back: ask again" };
  await moveRefund({ database, due, from: "sent", to: "mined", minedBlock: view.head, ...error });
  return false;
}

/** Whether any attempt of what was sent was mined, and did what it says: the one that is noted may have been replaced since. */
async function isMined(context: SettleContext, due: DueRefund): Promise<boolean> {
  const { chain, database } = context;
  for (const hash of await attemptsOf({ database, due, purpose: purposeOf(due) })) {
    const receipt = await answerOf(chain.provider.getTransactionReceipt(hash));
    if (receipt !== null) return receipt.status === 1;
  }
  return false;
}
