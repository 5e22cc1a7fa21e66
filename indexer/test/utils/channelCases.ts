import { channelGateAbi } from "@haca/protocol/abi";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import type { Channel } from "./channelOperations.ts";
import type { World } from "./deployWorld.ts";
import { FEE_BPS, PRICE } from "./escrowOperations.ts";
import type { Indexer } from "./startIndexer.ts";

/** Two channels at one gate, one of them in a token that refused every transfer, and who gets what the payee was owed. */
export type Channels = { paid: Channel; refused: Channel; receiver: Hex };

/** Of one channel two results are counted and claimed, of the other one; everything is shared out. `token` is the escrow's second one. */
export async function useChannels(world: World, token: Hex): Promise<Channels> {
  const { chain, channels, node } = world;
  const receiver = chain.accounts[7] as Hex;
  const gate = await channels.openGate(node);
  const paid = await channels.openChannel(gate);
  const refused = await channels.openChannel(gate, token);
  await channels.count(node, paid, 9_100_000n);
  await channels.count(node, paid, 9_100_001n);
  await channels.claim(paid, 2n * PRICE);
  await channels.collect(paid);
  await channels.count(node, refused, 9_100_002n);
  await channels.claim(refused, 2n * PRICE);
  await channels.collectRefused(refused);
  return { paid, refused, receiver };
}

/** Rows of gates and channels are what the contracts say. */
export function channelCases(
  parts: () => { world: World; indexer: Indexer; channels: Channels },
): void {
  const FEE = (PRICE * BigInt(FEE_BPS)) / 10_000n;
  const lower = (address: string): string => address.toLowerCase();

  test("a gate says what it is for, and leads to its node, its channels and what came in", async () => {
    const { channels, indexer, world } = parts();
    const { gate } = channels.paid;
    const { client } = world.chain;
    const terms = await client.readContract({
      ...{ abi: channelGateAbi, address: gate, functionName: "terms" },
    });
    const { channelGate } = await indexer.graphql(`{ channelGate(address: "${lower(gate)}") {
      nodeAddress payee feeReceiver feeBps kinds
      channels(orderBy: "resultCount") { items { id proven resultCount
        counts(orderBy: "blockNumber") { items { resultCount amount } } } }
      collections(orderBy: "blockNumber") { items { token amount fee } } } }`);
    const count = { resultCount: 1, amount: String(PRICE) };
    expect(channelGate).toEqual({
      ...{ nodeAddress: lower(terms.node), payee: lower(terms.payee), kinds: terms.kinds },
      ...{ feeReceiver: lower(terms.feeReceiver), feeBps: FEE_BPS },
      channels: {
        items: [
          {
            ...{ id: channels.refused.id, proven: String(PRICE), resultCount: 1 },
            counts: { items: [count] },
          },
          {
            ...{ id: channels.paid.id, proven: String(2n * PRICE), resultCount: 2 },
            counts: { items: [count, count] },
          },
        ],
      },
      collections: {
        items: [
          {
            token: lower(channels.paid.config.token),
            amount: String(2n * PRICE),
            fee: String(2n * FEE),
          },
          { token: lower(channels.refused.config.token), amount: String(PRICE), fee: String(FEE) },
        ],
      },
    });
    for (const { id } of [channels.paid, channels.refused]) {
      const proven = await client.readContract({
        ...{ abi: channelGateAbi, address: gate, functionName: "provenOf", args: [id] },
      });
      const [row] = await indexer.sql(`select proven from channel where id = '${id}'`);
      expect(row?.proven).toBe(String(proven));
    }
  });

  test("results that were counted are named by their places in the ledger", async () => {
    const { channels, indexer } = parts();
    const rows = await indexer.sql(
      `select ledger_page, bitmap from channel_count where channel_id = '${channels.paid.id}' order by block_number`,
    );
    expect(rows.map(({ bitmap }) => bitmap)).toEqual(
      [9_100_000n, 9_100_001n].map((nonce) => String(1n << (nonce % 256n))),
    );
    for (const { ledger_page: page } of rows) {
      expect(BigInt(String(page)) % 2n ** 88n).toBe(9_100_000n / 256n);
    }
  });

  test("what a gate owes an account is what the contract says, before and after it is withdrawn", async () => {
    const { channels, indexer, world } = parts();
    const { config, gate } = channels.refused;
    const { feeReceiver, payee } = world.escrow;
    const read = async (account: Hex) => {
      const rows = await indexer.sql(
        `select token, amount from gate_credit where account = '${lower(account)}'`,
      );
      const amount = await world.chain.client.readContract({
        ...{ abi: channelGateAbi, address: gate, functionName: "creditOf" },
        args: [config.token, account],
      });
      expect(rows).toEqual([{ token: lower(config.token), amount: String(amount) }]);
      return amount;
    };
    expect(await read(payee)).toBe(PRICE - FEE);
    expect(await read(feeReceiver)).toBe(FEE);
    const args = [config.token, channels.receiver];
    await world.channels.call(gate, "withdrawCredit", args, payee);
    await indexer.indexed(await world.chain.client.getBlockNumber());
    expect(await read(payee)).toBe(0n);
  });
}
