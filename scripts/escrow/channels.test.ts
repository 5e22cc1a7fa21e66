import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement, channelIdOf } from "@haca/protocol/channels";
import { type Filter, type TransactionRequest, Wallet, ZeroHash } from "ethers";
import { expect, it } from "vitest";
import { channelsOf, channelWords, type FoundGate, findChannel } from "./channels.ts";
import type { EscrowContext } from "./context.ts";

const [gate = "", opg = "", noToken = ""] = [1, 2, 3].map(() => Wallet.createRandom().address);
const report = () => undefined;
const config = (index: number) => ({
  ...{ payer: gate, payerAuthorizer: gate, receiver: gate, receiverAuthorizer: gate },
  ...{ token: noToken, withdrawDelay: 900n, salt: `0x${String(index).padStart(64, "0")}` },
});
const idOf = (index: number) => channelIdOf({ chainId: 31_337n, channel: config(index) });

/** A chain on which channels were opened, in one block; it answers for x402's contract, and as nothing else. */
function chainOf(channels: number, contract: () => Promise<unknown> = async () => ({})) {
  const asked: Filter["topics"][] = [];
  const standing: string[] = [];
  const logs = Array.from({ length: channels }, (_, index) => ({
    ...batchSettlement.encodeEventLog("ChannelCreated", [idOf(index), config(index)]),
    ...{ blockNumber: 1, index },
  }));
  const provider = {
    getBlockNumber: async () => 1,
    getLogs: async ({ topics }: Filter) => {
      asked.push(topics);
      return logs.filter(({ topics: [, id = ""] }) => topics?.[1]?.includes(id) ?? true);
    },
    call: async ({ data, to }: TransactionRequest) => {
      if (to !== BATCH_SETTLEMENT_ADDRESS) return "0x";
      const { args, name } = batchSettlement.parseTransaction({ data: data ?? "" }) ?? {};
      if (name === "channels") standing.push(args?.[0]);
      return batchSettlement.encodeFunctionResult(
        name ?? "",
        name === "channels" ? [7n, 2n] : [0n, 0n],
      );
    },
  };
  const book = { contracts: { ChannelGates: { address: gate, block: 1 }, OPG: { address: opg } } };
  const session = { book, contract, provider, chainId: 31_337 };
  const context = { session, now: 1n } as unknown as EscrowContext;
  const found = { address: gate, contract: { provenOf: async () => 3n } } as unknown as FoundGate;
  return { asked, context, found, standing };
}

it("a channel whose token is none is shown in smallest units", async () => {
  const { context, found } = chainOf(1);
  const [channel] = await channelsOf(context, { gate: found, report });
  if (channel === undefined) expect.fail();
  const lines = await channelWords(context, channel);
  expect(lines).toContain(`  balance    7 smallest units of ${noToken} (7)`);
});

it.each([
  ["some", 1, 1],
  ["more than one question for logs takes", 101, 0],
] as const)("of %s channels no others are asked for", async (_, named, topics) => {
  const { asked, context, found, standing } = chainOf(named + 2);
  const channelIds = Array.from({ length: named }, (_, index) => idOf(index + 1));
  const channels = await channelsOf(context, { gate: found, channelIds, report });
  expect(channels.map(({ channelId }) => channelId)).toEqual(channelIds);
  expect(standing).toEqual(channelIds);
  expect(asked.map((one) => one?.[1]?.length ?? 0)).toEqual([topics]);
});

it("where no channels are named nothing is asked for", async () => {
  const { asked, context, found } = chainOf(2);
  expect(await channelsOf(context, { gate: found, channelIds: [], report })).toEqual([]);
  expect(asked).toEqual([]);
});

it("a deployment without gates is told before logs are read", async () => {
  const { asked, context } = chainOf(1, async () => {
    throw new Error("no ChannelGates");
  });
  await expect(findChannel(context, ZeroHash)).rejects.toThrow("no ChannelGates");
  expect(asked).toEqual([]);
});
