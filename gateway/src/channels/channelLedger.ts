import { z } from "zod";
import { Journal } from "../journal/journal.ts";
import { notNoted } from "./channelRefusals.ts";

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** Sums of used vouchers that are kept at most. */
const MAXIMUM_USED = 256;

const voucherSchema = z.strictObject({ amount: z.string(), signature: z.string() });

export const channelSchema = z.strictObject({
  /** of the channel, in small letters */
  id: z.string(),
  /** whose key signs the vouchers: for the account that the channel names as payer nobody has signed */
  payer: z.string(),
  /** smallest units that its answers have cost in all */
  charged: z.string(),
  /** how much more than that the client was told: a stream's head says the most, and not what the stream has cost in the end */
  ahead: z.string().default("0"),
  /** the highest that was charged by: its sum, and what the client signed it with; null: nothing was charged */
  voucher: voucherSchema.nullable(),
  /** sums of vouchers that were charged by and are above `charged`, from the lowest: claims make them public, none pays again */
  used: z.array(z.string()).default([]),
  /** what the worker was told to give back, until it has said what became of that; null: nothing */
  refund: z
    .strictObject({
      /** rises with each of the channel's */
      number: z.int(),
      /** what was in the channel then; less when it is given back */
      balance: z.string(),
      /** what stays in the channel at least */
      kept: z.string(),
      /** of the rest; null: all of it */
      most: z.string().nullable(),
    })
    .nullable()
    .default(null),
  /** number of the latest one */
  lastRefund: z.int().default(0),
  /** what was charged, and how many requests failed, hour by hour of the last day */
  hours: z.array(z.strictObject({ hour: z.int(), charged: z.string(), failed: z.int() })),
});

/** What is known of a payment channel. */
export type ChannelRecord = z.output<typeof channelSchema>;
export type OrderedRefund = NonNullable<ChannelRecord["refund"]>;

/** What was charged of each channel, and the voucher that allowed it. */
export class ChannelLedger extends Journal<ChannelRecord> {
  /** @throws StartError where the folder cannot be used, or its journal is not one */
  static async open(folder: string): Promise<ChannelLedger> {
    const file = "channels.journal";
    // Without its sum, a channel's next answers could be paid by what earlier ones have used up.
    const isKept = () => true;
    const ledger = new ChannelLedger(folder, {
      ...{ file, what: "channel", schema: channelSchema, isKept },
    });
    await ledger.load();
    return ledger;
  }

  /** Notes a record before anybody is answered. @throws RefusedRequestError 503 where the disk takes nothing */
  async note(record: ChannelRecord): Promise<void> {
    await this.put(record).catch((cause: unknown) => {
      throw notNoted(cause);
    });
  }
}

/** Whether a voucher for this sum was charged by, or may have been. */
export function isUsed(record: ChannelRecord, sum: bigint): boolean {
  const isKept = record.used.includes(String(sum)) || record.voucher?.amount === String(sum);
  return isKept || isBelowKept(record, sum);
}

export type SumProblem = "channel.otherSum" | "channel.usedVoucher";

/**
 * Why a voucher for this sum pays for nothing on top of `base`, which is what was charged, or what the client was told of that;
 * undefined: it does. Where nothing was charged, the sum that a request failed at is the client's word still.
 */
export function sumProblem(
  record: ChannelRecord,
  asked: { base: bigint; voucher: { maxClaimableAmount: bigint } },
): SumProblem | undefined {
  if (record.voucher === null) return undefined;
  const { ahead, charged, told } = sumsOf(record);
  if (asked.base !== charged && (ahead === 0n || asked.base !== told)) return "channel.otherSum";
  return isUsed(record, asked.voucher.maxClaimableAmount) ? "channel.usedVoucher" : undefined;
}

const sumsOf = (record: ChannelRecord) => {
  const [charged, ahead] = [BigInt(record.charged), BigInt(record.ahead)];
  return { charged, ahead, told: charged + ahead };
};

/** The record that a request goes out from whose client has this sum: one that knows what was charged is not ahead any more. */
export const takenFrom = (record: ChannelRecord, base: bigint): ChannelRecord =>
  base === BigInt(record.charged) ? { ...record, ahead: "0" } : record;

/** Whether used vouchers this low may have been left out. */
const isBelowKept = ({ used }: ChannelRecord, sum: bigint): boolean =>
  used.length === MAXIMUM_USED && sum < BigInt(used[0] ?? 0);

/**
 * A record by which what costs so much needs a voucher that nobody has but the payer: where the next sum is a used one, it is
 * moved on by a unit or more. No result is there for these, so that they are not claimed.
 */
export function movedOn(record: ChannelRecord, most: bigint): ChannelRecord {
  const { ahead, charged } = sumsOf(record);
  const sum = charged + most;
  const [lowest = "0"] = record.used;
  let free = isBelowKept(record, sum) ? BigInt(lowest) : sum;
  while (isUsed(record, free)) free += 1n;
  const units = free - sum;
  const left = ahead > units ? ahead - units : 0n;
  return { ...record, charged: String(charged + units), ahead: String(left) };
}

/** The sums of used vouchers once one more is, those alone that are above what is charged by then. */
function usedBy(record: ChannelRecord, charged: bigint, sum: bigint): string[] {
  return [...new Set([...record.used.map(BigInt), sum])]
    .filter((other) => other > charged)
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(-MAXIMUM_USED)
    .map(String);
}

/** A record with what an answer has cost more, and its client was told, by its voucher; or a request that failed. */
export function withRequest(
  record: ChannelRecord,
  request: {
    charged: bigint;
    /** as the client knows it; without it the same */
    told?: bigint;
    isFailed: boolean;
    voucher: z.output<typeof voucherSchema>;
  },
): ChannelRecord {
  const { charged, isFailed, told = charged, voucher } = request;
  const now = Math.floor(Date.now() / HOUR_MS);
  const last = record.hours.find(({ hour }) => hour === now);
  const hour = {
    hour: now,
    charged: String(BigInt(last?.charged ?? 0) + charged),
    failed: (last?.failed ?? 0) + (isFailed ? 1 : 0),
  };
  const inAll = BigInt(record.charged) + charged;
  const isHighest = BigInt(voucher.amount) > BigInt(record.voucher?.amount ?? 0);
  const by = told > 0n && {
    voucher: isHighest ? voucher : record.voucher,
    used: usedBy(record, inAll, BigInt(voucher.amount)),
  };
  return {
    ...{ ...record, ...by, charged: String(inAll) },
    ahead: String(BigInt(record.ahead) + told - charged),
    hours: [...latest(record, now).filter((other) => other !== last), hour],
  };
}

/** What a payer's channels were charged in the last day, and how many of their requests failed. */
export function dayOf(records: readonly ChannelRecord[]): { charged: bigint; failed: number } {
  const now = Math.floor(Date.now() / HOUR_MS);
  const hours = records.flatMap((record) => latest(record, now));
  return {
    charged: hours.reduce((sum, { charged }) => sum + BigInt(charged), 0n),
    failed: hours.reduce((sum, { failed }) => sum + failed, 0),
  };
}

const latest = ({ hours }: ChannelRecord, now: number) =>
  hours.filter(({ hour }) => hour > now - DAY_HOURS);
