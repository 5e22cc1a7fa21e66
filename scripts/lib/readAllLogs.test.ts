import type { Log } from "ethers";
import { describe, expect, it } from "vitest";
import { readAllLogs } from "./readAllLogs.ts";

/** A chain of 1,000 blocks with one log in each tenth, whose endpoint answers for so many blocks at once. */
function endpoint(limit: number) {
  const asked: number[] = [];
  const provider = {
    getBlockNumber: async () => 999,
    getLogs: async (filter: { fromBlock?: unknown; toBlock?: unknown }): Promise<Log[]> => {
      const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)];
      asked.push(to - from + 1);
      if (to - from + 1 > limit) throw new Error("query exceeds what this endpoint gives");
      const blocks = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      return blocks
        .filter((block) => block % 10 === 0)
        .map((blockNumber) => ({ blockNumber }) as Log);
    },
  };
  return { asked, provider: provider as unknown as Parameters<typeof readAllLogs>[0]["provider"] };
}

const read = (provider: Parameters<typeof readAllLogs>[0]["provider"], fromBlock: number) =>
  readAllLogs({ provider, address: `0x${"11".repeat(20)}`, topics: [], fromBlock });

describe("all logs", () => {
  it("come in one request where the endpoint allows it", async () => {
    const { asked, provider } = endpoint(1_000);
    expect(await read(provider, 15)).toHaveLength(98);
    expect(asked).toEqual([985]);
  });

  it.each([1, 7, 100])("come once each, in order, from one that gives %i blocks", async (limit) => {
    const blocks = (await read(endpoint(limit).provider, 0)).map(({ blockNumber }) => blockNumber);
    expect(blocks).toEqual(Array.from({ length: 100 }, (_, i) => 10 * i));
  });

  it("are refused with the endpoint's own reason where it gives not even one block", async () => {
    await expect(read(endpoint(0).provider, 0)).rejects.toThrow("query exceeds");
  });
});
