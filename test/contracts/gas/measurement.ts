import type { TransactionResponse } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";

/**
 * Gas figures of one subject, by key: every sample is the gas of one whole transaction, or of one library call
 * where the key's note says so.
 */
export type Measurement = {
  samples: Record<string, bigint[]>;
  /** what a sample of a key is, for the reader of the report */
  notes: Record<string, string>;
};

export type Measure = (connection: NetworkConnection) => Promise<Measurement>;

/** Block time of every measurement: the calldata, and with it the gas, is the same in every run. */
export const MEASUREMENT_TIME = 4_000_000_000n;

export async function gasOf(sending: Promise<TransactionResponse>): Promise<bigint> {
  const receipt = await (await sending).wait();
  if (receipt === null) throw new Error("the transaction has no receipt");
  return receipt.gasUsed;
}

/** The middle sample, the lower one of two. */
export function median(samples: readonly bigint[]): bigint {
  const sorted = [...samples].sort((a, b) => (a < b ? -1 : 1));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error("no samples");
  return middle;
}
