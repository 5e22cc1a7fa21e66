import { z } from "zod";
import { Journal } from "../journal/journal.ts";

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;

export const channelSchema = z.strictObject({
  /** of the channel, in small letters */
  id: z.string(),
  payer: z.string(),
  /** smallest units that its answers have cost in all, as the client was told */
  charged: z.string(),
  /** the highest that was charged by: its sum, and what the client signed it with */
  voucher: z.strictObject({ amount: z.string(), signature: z.string() }),
  /** what was charged, and how many requests failed, hour by hour of the last day */
  hours: z.array(z.strictObject({ hour: z.int(), charged: z.string(), failed: z.int() })),
});

/** What is known of a payment channel. */
export type ChannelRecord = z.output<typeof channelSchema>;

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
}

/** A record with what an answer has cost more, or a request that failed. */
export function withRequest(
  record: ChannelRecord,
  request: { charged: bigint; isFailed: boolean },
): ChannelRecord {
  const { charged, isFailed } = request;
  const now = Math.floor(Date.now() / HOUR_MS);
  const last = record.hours.find(({ hour }) => hour === now);
  const hour = {
    hour: now,
    charged: String(BigInt(last?.charged ?? 0) + charged),
    failed: (last?.failed ?? 0) + (isFailed ? 1 : 0),
  };
  return {
    ...record,
    charged: String(BigInt(record.charged) + charged),
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
