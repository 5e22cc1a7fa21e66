import { readFileSync } from "node:fs";
import type { ChannelVoucher } from "@haca/protocol/channels";
import { userPath } from "@haca/protocol/userPath";
import { isVoucherSigned } from "@haca/protocol/voucherSignature";
import { z } from "zod";
import { withProgress } from "../lib/progress.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import {
  channelsOf,
  claimableOf,
  type FoundChannel,
  type FoundGate,
  requireGate,
  uncollectedOf,
} from "./channels.ts";
import {
  addressArgument,
  amountWords,
  badArgument,
  type EscrowContext,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";

/** Channels of one transaction. */
const MOST_CHANNELS = 64;
/** The contract counts parts in hundredths of a percent. */
const WHOLE = 10_000n;

const lineSchema = z.union([
  z.looseObject({
    id: z.string().regex(/^0x[0-9a-f]{64}$/i),
    voucher: z
      .looseObject({
        amount: z
          .string()
          .regex(/^\d{1,39}$/)
          .transform(BigInt),
        signature: z.string().regex(/^0x([0-9a-f]{2})+$/i),
      })
      .nullable(),
  }),
  z.looseObject({ forget: z.string() }),
]);

type Voucher = { maxClaimableAmount: bigint; signature: string };
type Claimable = { found: FoundChannel; voucher: ChannelVoucher; amount: bigint };

/** Claims what was counted by vouchers of a journal, and has it paid out. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function claim(options: SendOptions & { gate: string; journal: string }): Promise<void> {
  const address = addressArgument("gate", options.gate);
  const vouchers = readVouchers(options.journal);
  return withEscrow(options.network, async (context) => {
    const gate = await requireGate(context, address);
    const found = await withProgress("reading channels", (report) =>
      channelsOf(context, { gate, channelIds: [...vouchers.keys()], report }),
    );
    const open = claimablesOf(context, { found, vouchers });
    const taken = open.slice(0, MOST_CHANNELS);
    if (taken.length === 0) {
      throw refuse(`nothing can be claimed at ${gate.address}: ${whyNothing(found)}`);
    }
    const { contract } = gate;
    const tokens = [...new Set(taken.map((one) => one.found.channel.token))];
    const calls = [
      contract.interface.encodeFunctionData("claim", [taken.map(({ voucher }) => voucher)]),
      ...tokens.map((token) => contract.interface.encodeFunctionData("collect", [token])),
    ];
    const changes: string[] = [];
    for (const { amount, found: one, voucher } of taken) {
      const token = await tokenAt(context, one.channel.token);
      const [before, after] = [one.claimed, one.claimed + amount].map((it) =>
        amountWords(it, token),
      );
      changes.push(
        `channel ${one.channelId}: claimed ${before} -> ${after}, ` +
          `by a voucher of ${amountWords(voucher.maxClaimableAmount, token)}`,
      );
    }
    for (const token of tokens) {
      const sum = taken
        .filter((one) => one.found.channel.token === token)
        .reduce((total, { amount }) => total + amount, 0n);
      changes.push(await payoutWords(context, { gate, token, more: sum }));
    }
    const isSent = await sendChange(context, {
      ...{ options, sender: await senderOf(context.session, options), contract, name: "multicall" },
      ...{ values: [calls] as const, changes, question: "Claim it?" },
    });
    const left = open.length - taken.length;
    if (isSent && left > 0)
      console.log(`left         ${left} more channels: the same command again`);
  });
}

/** Has paid out what was claimed of a gate's channels. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function collect(options: SendOptions & { gate: string; token?: string }): Promise<void> {
  const address = addressArgument("gate", options.gate);
  return withEscrow(options.network, async (context) => {
    const gate = await requireGate(context, address);
    const token = await tokenAt(context, options.token);
    if ((await uncollectedOf(context, { gate, token: token.address })) === 0n) {
      throw refuse(`nothing of ${token.symbol} was claimed at ${gate.address} and not paid out`);
    }
    await sendChange(context, {
      ...{ options, sender: await senderOf(context.session, options) },
      ...{ contract: gate.contract, name: "collect", values: [token.address] as const },
      changes: [await payoutWords(context, { gate, token: token.address, more: 0n })],
      question: "Pay it out?",
    });
  });
}

/** Who gets what, once all that was claimed is paid out. */
async function payoutWords(
  context: EscrowContext,
  { gate, more, token: address }: { gate: FoundGate; token: string; more: bigint },
): Promise<string> {
  const { feeBps, payee } = gate.terms;
  const token = await tokenAt(context, address);
  const amount = (await uncollectedOf(context, { gate, token: address })) + more;
  const fee = (amount * feeBps) / WHOLE;
  return `${amountWords(amount - fee, token)} to ${payee}, ${amountWords(fee, token)} of fee`;
}

function claimablesOf(
  { session }: EscrowContext,
  { found, vouchers }: { found: readonly FoundChannel[]; vouchers: Map<string, Voucher[]> },
): Claimable[] {
  const chainId = BigInt(session.chainId);
  return found.flatMap((one) => {
    const { channel, channelId } = one;
    const [voucher] = (vouchers.get(channelId) ?? [])
      .map((it) => ({ channel, ...it }))
      .filter((it) => isVoucherSigned({ chainId, voucher: it }))
      .sort((a, b) => (a.maxClaimableAmount > b.maxClaimableAmount ? -1 : 1));
    const amount = voucher === undefined ? 0n : claimableOf(one, voucher.maxClaimableAmount);
    return voucher === undefined || amount === 0n ? [] : [{ found: one, voucher, amount }];
  });
}

/** Why nothing can be claimed of the channels that the journal names. */
function whyNothing(found: readonly FoundChannel[]): string {
  if (found.length === 0) return "the journal has no voucher of a channel of this gate";
  return found.some((one) => claimableOf(one) > 0n)
    ? "the journal's vouchers are used up, or not signed by their channels' keys"
    : "nothing was counted since the last claim, or the channels are empty";
}

/**
 * The vouchers of a gateway's journal by the ids of their channels. It is read and not written: it may be the only copy.
 * Error: `escrow.badArgument` naming file and line.
 */
function readVouchers(path: string): Map<string, Voucher[]> {
  const vouchers = new Map<string, Voucher[]>();
  const lines = readLines(path);
  for (const [index, line] of lines.entries()) {
    const parsed = parseLine(line);
    // What follows the last line break was never confirmed to anybody.
    if (parsed === undefined && index === lines.length - 1) continue;
    if (parsed === undefined) {
      throw badArgument(`--journal ${path}: line ${index + 1} is no line of channels.journal`);
    }
    if (!("voucher" in parsed) || parsed.voucher === null) continue;
    const { id, voucher } = parsed as {
      id: string;
      voucher: { amount: bigint; signature: string };
    };
    const { amount: maxClaimableAmount, signature } = voucher;
    const key = id.toLowerCase();
    vouchers.set(key, [...(vouchers.get(key) ?? []), { maxClaimableAmount, signature }]);
  }
  return vouchers;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(userPath(path), "utf8").split("\n");
  } catch {
    throw badArgument(`--journal ${path}: cannot be read`);
  }
}

function parseLine(line: string): z.output<typeof lineSchema> | undefined {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
