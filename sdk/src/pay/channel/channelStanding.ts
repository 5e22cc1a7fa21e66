import { BaseError } from "@haca/protocol/baseError";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { ask, encode } from "../../chain/contractReads.ts";
import type { Chain } from "../../chain/openChain.ts";
import type { Channel } from "./channelTypes.ts";

/** What a channel has on the chain, as of one block. Sums are smallest units of its token. */
export type ChannelStanding = {
  /** what came in, but for what went back */
  balance: bigint;
  /** of it, what the gate has claimed */
  claimed: bigint;
  /** prices of settled results that the gate has counted, so much it may claim at most; null of what is no gate */
  proven: bigint | null;
  /** a withdrawal that the payer has begun; times are unix seconds */
  withdrawal: { amount: bigint; begunAt: bigint; endsAt: bigint } | null;
};

const NOT_THERE: readonly string[] = ["chain.badAnswer", "chain.refused"];

/** @throws BaseError `chain.*` */
export async function channelStanding(
  chain: Chain,
  of: { channelId: string; channel: Channel },
): Promise<ChannelStanding> {
  const { channel, channelId } = of;
  const read = (to: string, signature: string, words: number): Promise<readonly bigint[]> =>
    ask(chain, { to, data: encode(signature, channelId), words });
  const [[balance = 0n, claimed = 0n], [amount = 0n, begunAt = 0n], proven] = await Promise.all([
    read(BATCH_SETTLEMENT_ADDRESS, "channels(bytes32)", 2),
    read(BATCH_SETTLEMENT_ADDRESS, "pendingWithdrawals(bytes32)", 2),
    read(channel.receiver, "provenOf(bytes32)", 1).catch(nothingAtNoGate),
  ]);
  const endsAt = begunAt + BigInt(channel.withdrawDelay);
  return {
    ...{ balance, claimed, proven: proven?.[0] ?? null },
    withdrawal: begunAt === 0n ? null : { amount, begunAt, endsAt },
  };
}

function nothingAtNoGate(error: unknown): undefined {
  if (error instanceof BaseError && NOT_THERE.includes(error.code)) return undefined;
  throw error;
}

/** What is in a channel and not claimed. */
export const leftIn = ({ balance, claimed }: ChannelStanding): bigint =>
  balance > claimed ? balance - claimed : 0n;

/** The least of some sums. */
export function leastOf(first: bigint, ...others: readonly bigint[]): bigint {
  let least = first;
  for (const other of others) if (other < least) least = other;
  return least;
}

/** What may be claimed of it still, of the highest voucher that was signed: of a gate, what it has counted. */
export function claimableOf({ balance, claimed, proven }: ChannelStanding, signed: bigint): bigint {
  const most = leastOf(signed, balance, ...(proven === null ? [] : [proven]));
  return most > claimed ? most - claimed : 0n;
}
