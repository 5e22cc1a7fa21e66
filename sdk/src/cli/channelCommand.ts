import { BaseError } from "@haca/protocol/baseError";
import { type Chain, openChain } from "../chain/openChain.ts";
import {
  prepareTransaction,
  sendTransaction,
  signTransaction,
  type Transaction,
} from "../chain/transaction.ts";
import {
  type ChannelStanding,
  channelStanding,
  claimableOf,
  leastOf,
  leftIn,
} from "../pay/channel/channelStanding.ts";
import { withdrawalOf } from "../pay/channel/channelTypes.ts";
import { keyOf } from "../pay/keySigner.ts";
import { requireUrl } from "./arguments.ts";
import { interruptible } from "./interrupt.ts";
import { decimalOf, opgOf, payerKeyIn, unitsOf } from "./payment.ts";
import { channelIn, channelsIn, type NotedChannel } from "./paymentFolder.ts";
import { asOfText, timeText, toJson } from "./print.ts";
import { progressOn } from "./progress.ts";
import { UsageError } from "./readInput.ts";

type PlaceArguments = { payments: string; rpc?: readonly string[]; chain?: string };
export type ChannelsArguments = PlaceArguments & { json?: boolean };
export type WithdrawArguments = PlaceArguments & {
  amount?: string;
  finish?: boolean;
  yes?: boolean;
  maxCost: string;
};

/** What changes nothing, or the contract would refuse. */
const refuse = (message: string): BaseError =>
  new BaseError({ code: "channel.refused", message: `${message}; nothing sent` });

/** `haca channel status`: what a payer's channels have on the chain. `isFound`: there is one at least. */
export async function showChannels(
  options: ChannelsArguments,
): Promise<{ isFound: boolean; text: string }> {
  requireEndpoints(options);
  const { notes: all, unreadable } = channelsIn(options.payments);
  const notes = all.filter((note) => isOn(options.chain, note));
  const bad = unreadable.map((path) => `unreadable   ${path} is not the note of that channel`);
  if (notes.length === 0) {
    const none = ["no channels are noted there", ...bad].join("\n");
    return {
      isFound: false,
      text: options.json ? toJson({ channels: [], unreadable }) : `${none}\n`,
    };
  }
  const chain = await chainOf(options, notes);
  const channels = await Promise.all(
    notes.map(async (note) => ({ note, standing: await channelStanding(chain, note) })),
  );
  if (options.json) {
    const { asOf, source } = chain;
    const shown = channels.map(({ note, standing }) => viewOf(note, standing));
    return { isFound: true, text: toJson({ asOf, source, channels: shown, unreadable }) };
  }
  const lines = [
    ...channels.flatMap(({ note, standing }) => linesOf(note, standing)),
    ...bad,
    `as of ${chain.source}${asOfText(chain.asOf)}`,
  ];
  return { isFound: true, text: `${lines.join("\n")}\n` };
}

/**
 * `haca channel withdraw`: begins a withdrawal, or finishes one. Without `--yes` it says what would change, and sends nothing.
 * @param say told of what is changed before it is, and of the transaction before it leaves
 */
export async function withdrawFrom(
  channelId: string,
  options: WithdrawArguments,
  { env, say }: { env: NodeJS.ProcessEnv; say: (line: string) => void },
): Promise<string> {
  const mostCost = unitsOf("max-cost", options.maxCost, "ether");
  if (options.finish && options.amount !== undefined) {
    throw new UsageError("--amount: was said when the withdrawal was begun, not with --finish");
  }
  const amount = options.amount === undefined ? undefined : unitsOf("amount", options.amount);
  const note = noteOf(channelId, options);
  const chain = await chainOf(options, [note]);
  const { changes, call } = planOf(note, await channelStanding(chain, note), {
    ...{ amount, isFinish: options.finish === true, now: nowAt(chain) },
  });
  const key = options.yes ? keyFor(note, env) : undefined;
  const [rpc = ""] = options.rpc ?? [];
  const from = note.channel.payer;
  const transaction = await prepareTransaction({ rpc, chainId: note.chainId, from, ...call });
  for (const line of [...changes, costOf(transaction, from)]) say(line);
  requireCheap(transaction, mostCost);
  if (key === undefined) return "nothing sent: --yes sends it\n";
  const progress = progressOn(process.stderr);
  const signed = signTransaction(transaction, key);
  try {
    const block = await interruptible(`stopped; ${signed.hash} may have been sent`, (signal) =>
      sendTransaction({
        ...{ rpc, signed, signal },
        onSending(hash) {
          say(`transaction  ${hash}`);
          progress.say("waiting until it is in a block");
        },
      }),
    );
    return `done         in block ${block}\n`;
  } finally {
    progress.end();
  }
}

/** The later of two clocks: a chain on which nothing happens is behind. */
const nowAt = ({ block }: Chain): bigint => {
  const own = BigInt(Math.floor(Date.now() / 1000));
  return block.time > own ? block.time : own;
};

/** What is to be sent, and what it changes, in words. @throws BaseError `channel.refused` */
function planOf(
  { channel, deposit, signed }: NotedChannel,
  standing: ChannelStanding,
  asked: { amount: bigint | undefined; isFinish: boolean; now: bigint },
): { changes: readonly string[]; call: { to: string; data: string } } {
  const { withdrawal } = standing;
  const left = leftIn(standing);
  if (asked.isFinish) {
    if (withdrawal === null) throw refuse("no withdrawal of this channel was begun");
    const { amount, endsAt } = withdrawal;
    if (asked.now < endsAt) {
      throw refuse(`the withdrawal can be finished from ${timeText(String(endsAt))} on`);
    }
    const comes = leastOf(amount, left);
    if (comes === 0n) throw refuse("all of the channel was claimed or has gone back");
    const changes = [
      `change       ${opgOf(String(comes))} of the channel -> ${channel.payer}`,
      `stays        ${opgOf(String(left - comes))} in it`,
    ];
    return { changes, call: withdrawalOf(channel, amount).end };
  }
  if (withdrawal !== null) {
    const { amount, endsAt } = withdrawal;
    throw refuse(
      `a withdrawal of ${opgOf(String(amount))} was begun, which --finish ends from ${timeText(String(endsAt))} on`,
    );
  }
  if (left === 0n) throw refuse("nothing is in the channel that was not claimed");
  const amount = asked.amount ?? left;
  if (amount === 0n) throw refuse("--amount is 0");
  if (amount > left) throw refuse(`${opgOf(String(left))} are in the channel and not claimed`);
  const endsAt = asked.now + BigInt(channel.withdrawDelay);
  // What was signed to bring more in may be brought until then, by whoever has it.
  const balance = standing.balance + BigInt(deposit?.amount ?? 0);
  const claimable = claimableOf({ ...standing, balance, proven: null }, BigInt(signed));
  const changes = [
    `change       withdrawal of ${opgOf(String(amount))} begun, which --finish ends from ${timeText(String(endsAt))} on`,
    `until then   ${opgOf(String(claimable))} at most may be claimed of it, by vouchers that were signed; nodes answer nothing more by this channel`,
    ...(deposit === null
      ? []
      : [
          `deposit      ${opgOf(deposit.amount)} was signed, and may still come; it is not in this withdrawal`,
        ]),
  ];
  return { changes, call: withdrawalOf(channel, amount).begin };
}

const costOf = ({ gas, maxFee }: Transaction, from: string): string =>
  `gas          ${gas} at most, which costs ${decimalOf(String(gas * maxFee))} ether at most, of ${from}`;

function requireCheap({ gas, maxFee }: Transaction, most: bigint): void {
  if (gas * maxFee <= most) return;
  throw refuse(`that is above --max-cost ${decimalOf(String(most))}`);
}

function keyFor({ channel }: NotedChannel, env: NodeJS.ProcessEnv): string {
  const key = payerKeyIn(env);
  const { address } = keyOf(key);
  if (address === channel.payer) return key;
  throw refuse(`HACA_PAYER_KEY is of ${address}, and the channel of ${channel.payer}`);
}

const CHANNEL_ID = /^0x[0-9a-f]{64}$/;

function noteOf(id: string, options: PlaceArguments): NotedChannel {
  const channelId = id.toLowerCase();
  if (!CHANNEL_ID.test(channelId)) {
    throw new UsageError(`channel: must be 0x and 64 hex digits, got ${id}`);
  }
  requireEndpoints(options);
  const notes = channelIn(options.payments, channelId);
  const [note, ...others] = notes.filter((known) => isOn(options.chain, known));
  if (note !== undefined && others.length === 0) return note;
  throw new UsageError(`channel: --payments has no note of ${channelId}`);
}

function requireEndpoints({ rpc = [] }: PlaceArguments): void {
  rpc.forEach(requireUrl);
  if (rpc.length === 0) throw new UsageError("--rpc: a chain has to be asked; name an endpoint");
}

/** Whether a channel is on the chain that is named, if one is. */
const isOn = (chain: string | undefined, { chainId }: NotedChannel): boolean =>
  chain === undefined || chainId === chain;

async function chainOf(
  { rpc: rpcs = [] }: PlaceArguments,
  notes: readonly NotedChannel[],
): Promise<Chain> {
  const [chainId = "", ...others] = new Set(notes.map((note) => note.chainId));
  if (others.length === 0) return await openChain({ rpcs, chainId });
  throw new UsageError("--chain: say which; the journal has channels on several");
}

function viewOf(note: NotedChannel, standing: ChannelStanding): object {
  const { chainId, channel, channelId, charged, deposit, signed } = note;
  return {
    ...{ channelId, chainId, channel, charged, signed },
    uncertainDeposit: deposit === null ? null : deposit.amount,
    ...standing,
    ...{ left: leftIn(standing), claimable: claimableOf(standing, BigInt(signed)) },
  };
}

function linesOf(note: NotedChannel, standing: ChannelStanding): readonly string[] {
  const { channel, channelId, charged, deposit, signed } = note;
  const { balance, claimed, proven, withdrawal } = standing;
  const opg = (units: bigint | string): string => opgOf(String(units));
  const days = decimalDays(channel.withdrawDelay);
  const counted = proven === null ? "" : `, of ${opg(proven)} that it has counted`;
  return [
    `channel ${channelId}`,
    `  gate         ${channel.receiver}${proven === null ? ", which does not answer as one" : ""}`,
    `  payer        ${channel.payer}`,
    `  token        ${channel.token}`,
    `  in it        ${opg(balance)}, of which ${opg(claimed)} are claimed and ${opg(leftIn(standing))} are left`,
    `  vouchers     for ${opg(signed)} in all; the node says that ${opg(charged)} were charged`,
    `  claimable    ${opg(claimableOf(standing, BigInt(signed)))} now${counted}`,
    ...(deposit === null ? [] : [`  deposit      ${opg(deposit.amount)} was signed, and may come`]),
    withdrawal === null
      ? `  withdrawal   none begun; it takes ${days}`
      : `  withdrawal   ${opg(withdrawal.amount)} begun, to be finished from ${timeText(String(withdrawal.endsAt))} on`,
  ];
}

const DAY = 86_400;
const decimalDays = (seconds: number): string =>
  `${Number((seconds / DAY).toFixed(2))} days (${seconds} s)`;
