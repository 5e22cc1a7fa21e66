import { LogSlices } from "@haca/protocol/logSlices";
import type { Log, Provider } from "ethers";

/**
 * All logs of a contract, or of several, from a block on, also from an endpoint that answers for a limited range only. Hardhat's
 * connection wraps what an endpoint says as it likes: what is refused for a single block is no limit, and its error is
 * thrown; anything else counts as one.
 */
export async function readAllLogs(parameters: {
  provider: Pick<Provider, "getBlockNumber" | "getLogs">;
  address: string | string[];
  /** null: any */
  topics: readonly (string | null)[];
  fromBlock: number;
}): Promise<Log[]> {
  const { provider, address, fromBlock } = parameters;
  const topics = [...parameters.topics];
  return await new LogSlices(() => true).read({
    from: fromBlock,
    to: await provider.getBlockNumber(),
    readSlice: (from, to) => provider.getLogs({ address, topics, fromBlock: from, toBlock: to }),
  });
}
