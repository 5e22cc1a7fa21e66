import { BaseError } from "@haca/protocol/baseError";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement, type Channel } from "@haca/protocol/channels";
import { isSameHex } from "@haca/protocol/isSameHex";
import type { ContractOf } from "../lib/contracts.ts";
import type { Report } from "../lib/progress.ts";
import { withProgress } from "../lib/progress.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { duration, isoTime } from "../lib/words.ts";
import {
  addressArgument,
  amountWords,
  type EscrowContext,
  hashArgument,
  type ReadOptions,
  refuse,
  type Token,
  tokenOrUnits,
  withEscrow,
} from "./context.ts";
import { gateAt } from "./gate.ts";
import type { PaidTerms } from "./terms.ts";

/** Channels, or their accounts, of one question for logs. */
export const MOST_TOPICS = 100;

export type FoundGate = { address: string; contract: ContractOf<"ChannelGate">; terms: PaidTerms };

/** A channel, and how it stands in the latest block. Amounts are smallest units. */
export type FoundChannel = {
  channelId: string;
  channel: Channel;
  /** what came in, but for what went back */
  balance: bigint;
  /** prices that the gate has counted */
  counted: bigint;
  claimed: bigint;
  /** what its payer has asked to have back, and when that can be had; null: nothing */
  withdrawal: { amount: bigint; requestedAt: bigint; payableAt: bigint } | null;
};

/** Lists the channels of a gate. Errors: `escrow.badArgument`, `escrow.refused`. */
export function channels(options: ReadOptions & { gate: string; json?: true }): Promise<void> {
  const address = addressArgument("gate", options.gate);
  return withEscrow(options.network, async (context) => {
    const gate = await requireGate(context, address);
    const { chainId } = context.session;
    const found = await withProgress("reading channels", (report) =>
      channelsOf(context, { gate, report }),
    );
    if (options.json) {
      const value = { chainId, gate: gate.address, now: context.now, channels: found };
      console.log(JSON.stringify(value, (_, it) => (typeof it === "bigint" ? String(it) : it), 2));
      return;
    }
    const words = found.length === 1 ? "channel" : "channels";
    console.log(`${found.length} ${words} of gate ${gate.address}`);
    for (const one of found) console.log(["", ...(await channelWords(context, one))].join("\n"));
  });
}

/** A channel in lines. A stranger can open one with whatever it names as token. */
export async function channelWords(context: EscrowContext, found: FoundChannel): Promise<string[]> {
  const token = await tokenOrUnits(context, found.channel.token);
  return channelLines(found, { token, now: context.now });
}

/** Error: `escrow.refused` where no gate of this deployment is at the address. */
export async function requireGate(context: EscrowContext, address: string): Promise<FoundGate> {
  const found = await gateAt(context, address);
  if (found === undefined) throw refuse(`${address} is no gate of this deployment`);
  return { address, ...found };
}

/** The channels that were opened to a gate, or of them those of some ids, the oldest first. x402's contract tells of everybody's. */
export async function channelsOf(
  context: EscrowContext,
  parameters: { gate: FoundGate; channelIds?: readonly string[]; report: Report },
): Promise<FoundChannel[]> {
  const { gate, report } = parameters;
  const created = await readCreated(context, parameters);
  // Both ends are the gate, or nothing is claimed there.
  const own = [...created].filter(([, { receiver, receiverAuthorizer }]) =>
    [receiver, receiverAuthorizer].every((end) => isSameHex(end, gate.address)),
  );
  const found: FoundChannel[] = [];
  for (const [index, [channelId, channel]] of own.entries()) {
    report(`channel ${index + 1} of ${own.length}`);
    found.push(await readStanding(context, { gate, channelId, channel }));
  }
  return found;
}

/** A channel of a gate of this deployment, by its id. Errors: `escrow.badArgument`, `escrow.unknown`, `escrow.refused`. */
export async function findChannel(
  context: EscrowContext,
  text: string,
): Promise<{ gate: FoundGate; found: FoundChannel }> {
  const channelId = hashArgument("channel", text);
  // Without it no block is known to look from.
  await context.session.contract("ChannelGates");
  const created = await withProgress("looking for the channel", (report) =>
    readCreated(context, { channelIds: [channelId], report }),
  );
  const channel = created.get(channelId);
  if (channel === undefined) {
    throw new BaseError({
      code: "escrow.unknown",
      message: `no channel ${channelId} was opened on chain ${context.session.chainId} since its gates are there`,
    });
  }
  const gate = await requireGate(context, channel.receiver);
  return { gate, found: await readStanding(context, { gate, channelId, channel }) };
}

/** Channels by their ids, as they were opened since the deployment has gates: of anybody's, or some. */
async function readCreated(
  { session }: EscrowContext,
  { channelIds, report }: { channelIds?: readonly string[]; report: Report },
): Promise<Map<string, Channel>> {
  const { book, provider } = session;
  if (channelIds?.length === 0) return new Map();
  const isFew = channelIds !== undefined && channelIds.length <= MOST_TOPICS;
  const logs = await readAllLogs({
    ...{ provider, address: BATCH_SETTLEMENT_ADDRESS, report },
    topics: [
      batchSettlement.getEvent("ChannelCreated")?.topicHash ?? "",
      isFew ? channelIds : null,
    ],
    fromBlock: book.contracts.ChannelGates?.block ?? 0,
  });
  const named = channelIds && new Set(channelIds);
  return new Map(
    logs.flatMap((log) => {
      const args = batchSettlement.parseLog(log)?.args;
      if (args === undefined || named?.has(args.channelId) === false) return [];
      return [[args.channelId, args.config.toObject() as Channel]];
    }),
  );
}

async function readStanding(
  { session }: EscrowContext,
  { channel, channelId, gate }: { gate: FoundGate; channelId: string; channel: Channel },
): Promise<FoundChannel> {
  const ask = async (name: string, values: unknown[]): Promise<bigint[]> => {
    const data = batchSettlement.encodeFunctionData(name, values);
    const answer = await session.provider.call({ to: BATCH_SETTLEMENT_ADDRESS, data });
    return [...batchSettlement.decodeFunctionResult(name, answer)];
  };
  const [[balance = 0n, claimed = 0n], [amount = 0n, requestedAt = 0n], counted] =
    await Promise.all([
      ask("channels", [channelId]),
      ask("pendingWithdrawals", [channelId]),
      gate.contract.provenOf(channelId),
    ]);
  const payableAt = requestedAt + channel.withdrawDelay;
  const withdrawal = requestedAt === 0n ? null : { amount, requestedAt, payableAt };
  return { channelId, channel, balance, counted, claimed, withdrawal };
}

/** Smallest units that were claimed for a gate and are not paid out yet. */
export async function uncollectedOf(
  { session }: EscrowContext,
  { gate, token }: { gate: FoundGate; token: string },
): Promise<bigint> {
  const data = batchSettlement.encodeFunctionData("receivers", [gate.address, token]);
  const answer = await session.provider.call({ to: BATCH_SETTLEMENT_ADDRESS, data });
  const [claimed, settled] = batchSettlement.decodeFunctionResult("receivers", answer);
  return BigInt(claimed) - BigInt(settled);
}

/** Smallest units that a voucher of this height lets be claimed now; without one, what one that is high enough does. */
export function claimableOf(found: FoundChannel, voucher = found.balance): bigint {
  const bounds = [found.counted, found.balance, voucher].sort((a, b) => (a < b ? -1 : 1));
  const [most = 0n] = bounds;
  return most > found.claimed ? most - found.claimed : 0n;
}

function channelLines(
  found: FoundChannel,
  { now, token }: { now: bigint; token: Token },
): string[] {
  const { balance, channel, channelId, claimed, counted } = found;
  const amount = (value: bigint) => `${amountWords(value, token)} (${value})`;
  return [
    `channel ${channelId}`,
    `  payer      ${channel.payer}, vouchers by ${channel.payerAuthorizer}`,
    `  token      ${token.address}`,
    `  balance    ${amount(balance)}`,
    `  counted    ${amount(counted)}`,
    `  claimed    ${amount(claimed)}, ${amount(claimableOf(found))} more by a voucher that allows it`,
    `  withdrawal ${withdrawalWords(found, { now, token })}`,
  ];
}

function withdrawalWords(
  { channel, withdrawal }: FoundChannel,
  { now, token }: { now: bigint; token: Token },
): string {
  if (withdrawal === null) return `none; one takes ${duration(channel.withdrawDelay)}`;
  const { amount, payableAt, requestedAt } = withdrawal;
  const when =
    now < payableAt
      ? `can be had from ${isoTime(payableAt)}, in ${duration(payableAt - now)}: what is claimed by then stays`
      : `could be had since ${isoTime(payableAt)}`;
  return `${amountWords(amount, token)} (${amount}), asked for at ${isoTime(requestedAt)}, ${when}`;
}
