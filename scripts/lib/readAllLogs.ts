import type { Log, Provider } from "ethers";

/**
 * All logs of a contract from a block on, also from an endpoint that answers for a limited range only: a refused range
 * is halved, an answered one doubled. Endpoints word their limits as they like; what is refused for a single block is
 * no limit, and its error is thrown.
 */
export async function readAllLogs(parameters: {
  provider: Pick<Provider, "getBlockNumber" | "getLogs">;
  address: string;
  topics: readonly string[];
  fromBlock: number;
}): Promise<Log[]> {
  const { provider, address, fromBlock } = parameters;
  const topics = [...parameters.topics];
  const last = await provider.getBlockNumber();
  const logs: Log[] = [];
  let start = fromBlock;
  let width = last - fromBlock + 1;
  while (start <= last) {
    const end = Math.min(start + width - 1, last);
    try {
      const range = { fromBlock: start, toBlock: end };
      logs.push(...(await provider.getLogs({ address, topics, ...range })));
      start = end + 1;
      width *= 2;
    } catch (error) {
      if (end === start) throw error;
      width = Math.floor((end - start + 1) / 2);
    }
  }
  return logs;
}
