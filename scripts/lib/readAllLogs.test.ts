import type { Log } from "ethers";
import { expect, it } from "vitest";
import { readAllLogs } from "./readAllLogs.ts";

const addressOf = (number: number): string => `0x${number.toString(16).padStart(40, "0")}`;
const logOf = (address: string, blockNumber: number, index: number) =>
  ({ address, blockNumber, index }) as Log;

it("asks for no more contracts at once than endpoints take, and keeps the chain's order", async () => {
  const addresses = Array.from({ length: 1_201 }, (_, number) => addressOf(number));
  const [first = "", last = ""] = [addresses[0], addresses.at(-1)];
  const logs = [logOf(last, 3, 1), logOf(first, 3, 2), logOf(last, 7, 0)];
  const asked: number[] = [];
  const found = await readAllLogs({
    provider: {
      getBlockNumber: async () => 9,
      async getLogs(filter) {
        const { address } = filter as { address: string[] };
        asked.push(address.length);
        if (address.length > 1_000) throw new Error("too many addresses");
        return logs.filter((log) => address.includes(log.address));
      },
    },
    ...{ address: addresses, topics: [], fromBlock: 0 },
  });
  expect(found).toEqual(logs);
  expect(asked.reduce((sum, length) => sum + length)).toBe(addresses.length);
});

it("asks nothing of no contract", async () => {
  const provider = {
    getBlockNumber: async () => 9,
    getLogs: async () => [logOf(addressOf(1), 1, 0)],
  };
  expect(await readAllLogs({ provider, address: [], topics: [], fromBlock: 0 })).toEqual([]);
});

it("asks for any of several topics, of a part of the blocks at a time, and tells how far it is", async () => {
  const asked: unknown[] = [];
  const told: string[] = [];
  await readAllLogs({
    provider: {
      getBlockNumber: async () => 9,
      async getLogs(filter) {
        const { fromBlock, toBlock, topics } = filter as Record<string, unknown>;
        if (Number(toBlock) - Number(fromBlock) > 4) throw new Error("at most 5 blocks");
        asked.push(topics);
        return [];
      },
    },
    ...{ address: addressOf(1), topics: ["0x1", null, ["0x2", "0x3"]], fromBlock: 0 },
    report: (text) => told.push(text),
  });
  expect(asked).toEqual([
    ["0x1", null, ["0x2", "0x3"]],
    ["0x1", null, ["0x2", "0x3"]],
  ]);
  expect(told).toEqual(["block 0 of 9", "block 0 of 9", "block 5 of 9"]);
});
