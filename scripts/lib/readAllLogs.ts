import { LogSlices } from "@haca/protocol/logSlices";
import type { Log, Provider } from "ethers";
import type { Report } from "./progress.ts";

/** Addresses of one question; of more than a thousand endpoints take none. */
const MOST_ADDRESSES = 500;

/**
 * All logs of a contract, or of several however many, from a block on, in the chain's order, also from an endpoint that answers for a
 * limited range only. Hardhat's connection wraps what an endpoint says as it likes: what is refused for a single block is no limit, and
 * its error is thrown; anything else counts as one.
 */
export async function readAllLogs(parameters: {
  provider: Pick<Provider, "getBlockNumber" | "getLogs">;
  address: string | readonly string[];
  /** null: any; a list: any of these */
  topics: readonly (string | null | readonly string[])[];
  fromBlock: number;
  /** told how far it is */
  report?: Report;
}): Promise<Log[]> {
  const { provider, fromBlock, report } = parameters;
  const addresses = [parameters.address].flat();
  const topics = parameters.topics.map((topic) =>
    typeof topic === "string" || topic === null ? topic : [...topic],
  );
  const to = await provider.getBlockNumber();
  const logs: Log[] = [];
  for (let start = 0; start < addresses.length; start += MOST_ADDRESSES) {
    const address = addresses.slice(start, start + MOST_ADDRESSES);
    const read = new LogSlices(() => true).read({
      ...{ from: fromBlock, to },
      readSlice: (from, end) => {
        report?.(`block ${from} of ${to}`);
        return provider.getLogs({ address, topics, fromBlock: from, toBlock: end });
      },
    });
    logs.push(...(await read));
  }
  return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
}
