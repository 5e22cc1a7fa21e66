import type { Interface, Provider, Result } from "ethers";

/** An event, as the chain has it. */
export type Happened = {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: by its name, as ethers has it
  args: Result & Record<string, any>;
  block: number;
  index: number;
  transaction: string;
  /** of its block, unix seconds */
  time: bigint;
};

/** Every event of a contract, oldest first. */
export async function happenedAt(parameters: {
  provider: Provider;
  contract: { target: unknown };
  abi: Interface;
}): Promise<Happened[]> {
  const { abi, contract, provider } = parameters;
  const logs = await provider.getLogs({ address: String(contract.target), fromBlock: 0 });
  const times = new Map<number, bigint>();
  const all: Happened[] = [];
  for (const log of logs) {
    const { blockNumber: block, index, transactionHash: transaction } = log;
    if (!times.has(block)) {
      times.set(block, BigInt((await provider.getBlock(block))?.timestamp ?? 0));
    }
    const parsed = abi.parseLog(log);
    if (parsed === null) throw new Error(`an event at ${contract.target} that its ABI lacks`);
    const { args, name } = parsed;
    all.push({ name, args, block, index, transaction, time: times.get(block) ?? 0n });
  }
  return all;
}
