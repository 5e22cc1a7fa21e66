import { dataFeedsAbi, nodeBondsAbi } from "@haca/protocol/abi";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { teeIdOf } from "./utils/accessTee.ts";
import { type Channels, channelCases, useChannels } from "./utils/channelCases.ts";
import {
  type Commerce,
  commerceCases,
  refundCommerce,
  useCommerce,
} from "./utils/commerceCases.ts";
import { deployWorld, type World } from "./utils/deployWorld.ts";
import { changeSettings, escrowCases, type Jobs, openJobs } from "./utils/escrowCases.ts";
import { stakeCases } from "./utils/stakeCases.ts";
import { walkStake } from "./utils/stakeWalk.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import type { TeeNode } from "./utils/teeOperations.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";
import { addressOf } from "./utils/writeBook.ts";

/** After it, a retired node's bond can be paid back. */
const RELEASE_DELAY = 21n * 24n * 3600n;
const RECEIVER = "0x5555555555555555555555555555555555555555";

const folder = temporaryFolder();
let chain: Chain;
let world: World;
let indexer: Indexer;
let feeds: { open: Hex; closed: Hex };
let jobs: Jobs;
let channels: Channels;
let commerce: Commerce;
let accepted: Map<string, number>;
let nodes: { locked: TeeNode; forfeited: TeeNode; released: TeeNode };

beforeAll(async () => {
  chain = await startChain();
  world = await deployWorld({ chain, folder: folder.path, seed: "bonds" });
  const { bonds, contracts, tee } = world;
  jobs = await openJobs(world);
  channels = await useChannels(world, jobs.token);
  commerce = await useCommerce(world);
  await changeSettings(world, jobs);
  feeds = await makeRounds();
  await bonds.setAmount(11n);
  nodes = { released: await bonds.admit(), forfeited: await bonds.admit(), locked: world.node };
  await bonds.setAmount(12n);
  nodes.locked = await bonds.admit();
  await tee.call("retireTEE", [teeIdOf(nodes.released.enclave)], nodes.released.operator);
  await bonds.forfeit(nodes.forfeited, RECEIVER);
  const { legacySettlement, teeRegistry } = contracts.deployed;
  await bonds.setLedgerWriter(addressOf(legacySettlement), true);
  await bonds.setLedgerWriter(addressOf(teeRegistry), true);
  await bonds.setLedgerWriter(addressOf(legacySettlement), false);
  const { timestamp } = await chain.client.getBlock();
  await chain.client.setNextBlockTimestamp({ timestamp: timestamp + RELEASE_DELAY });
  await bonds.release(nodes.released);
  await world.escrow.call("refund", [jobs.refunded.job] as never);
  await refundCommerce(world, commerce);
  // The same chain and indexer serve for stake.
  accepted = await walkStake(world);

  const place = { rpcUrl: chain.rpcUrl, deployment: world.path, dataDirectory: folder.path };
  indexer = await startIndexer(place);
  await indexer.indexed(await chain.client.getBlockNumber());
});

/** Two feeds: one with two rounds, in the second of which an observation deviates and one is its operator's second. */
async function makeRounds() {
  const { admit, call, create, post } = world.feeds;
  await admit(chain.accounts.slice(1, 5));
  const open = await create("ETH / USD");
  const closed = await create("BTC / USD");
  await chain.client.mine({ blocks: 1, interval: 10 });
  await post(open, [1_000n, 1_001n, 1_002n]);
  await chain.client.mine({ blocks: 1, interval: 10 });
  await post(open, [-1_003n, -1_002n, -1_001n, 9_000n, -1_000n]);
  const parameters = { heartbeat: 60, maximumDeviation: 1, minimumObservations: 4 };
  await call("setFeedParameters", [open, parameters]);
  await post(closed, [7n, 7n, 7n]);
  await call("closeFeed", [closed]);
  return { open, closed };
}

afterAll(async () => {
  await indexer?.stop();
  await chain?.stop();
  folder.remove();
});

test.each([
  ["locked", 12n, () => null],
  ["forfeited", 11n, () => RECEIVER],
  ["released", 11n, ({ operator }: TeeNode) => operator.toLowerCase()],
] as const)("a bond that is %s says so, as the contract does", async (state, amount, receiver) => {
  const node = nodes[state];
  const teeId = teeIdOf(node.enclave);
  const [row] = await indexer.sql(`select * from node_bond where tee_id = '${teeId}'`);
  expect(row).toMatchObject({
    ...{ state, amount: String(amount), receiver: receiver(node) },
    owner: node.operator.toLowerCase(),
  });
  expect(row?.ended_at === null).toBe(state === "locked");
  expect(row?.end_transaction_hash === null).toBe(state === "locked");
  const bond = await chain.client.readContract({
    ...{ abi: nodeBondsAbi, address: world.nodeBonds, functionName: "bondOf", args: [teeId] },
  });
  expect(bond.owner.toLowerCase()).toBe(row?.owner);
  expect(bond.amount).toBe(state === "locked" ? amount : 0n);
});

test("a node leads to its bond; one that was admitted for nothing has none", async () => {
  const { locked } = nodes;
  const { teeNodes } = await indexer.graphql(
    '{ teeNodes(orderBy: "registeredAt") { items { id bond { amount state } } } }',
  );
  const { items } = teeNodes as { items: { id: string; bond: unknown }[] };
  const bondOf = (id: string) => items.find((item) => item.id === id)?.bond;
  expect(bondOf(teeIdOf(locked.enclave))).toEqual({ amount: "12", state: "locked" });
  expect(bondOf(teeIdOf(world.node.enclave))).toBeNull();
});

test("what a new node has to leave is a parameter with its changes", async () => {
  expect(await indexer.sql("select value from tee_parameter where name = 'bondAmount'")).toEqual([
    { value: "12" },
  ]);
  expect(
    await indexer.sql(
      "select previous, current from tee_parameter_change where name = 'bondAmount' order by block_number",
    ),
  ).toEqual([
    { previous: "0", current: "11" },
    { previous: "11", current: "12" },
  ]);
});

test("who may hold requests in the ledger, and who no more", async () => {
  const { legacySettlement, teeRegistry } = world.contracts.deployed;
  const rows = await indexer.sql(
    "select address, is_allowed from ledger_writer order by changed_at",
  );
  const [pages, ...others] = rows;
  expect(pages).toMatchObject({ is_allowed: true });
  expect(others).toEqual([
    { address: addressOf(teeRegistry).toLowerCase(), is_allowed: true },
    { address: addressOf(legacySettlement).toLowerCase(), is_allowed: false },
  ]);
});

test("a feed is what the contract says of it", async () => {
  const address = world.feedsAddress;
  for (const id of [feeds.open, feeds.closed]) {
    const [row] = await indexer.sql(`select * from feed where id = '${id}'`);
    const onFeeds = { abi: dataFeedsAbi, address } as const;
    const [feed, reader] = await Promise.all([
      chain.client.readContract({ ...onFeeds, functionName: "feedOf", args: [id] }),
      chain.client.readContract({ ...onFeeds, functionName: "readerOf", args: [id, 8] }),
    ]);
    const [answer, updatedAt] = await chain.client.readContract({
      ...{ ...onFeeds, functionName: "roundOf", args: [id, feed.latestRound] },
    });
    expect(row).toMatchObject({
      ...{ reader: reader.toLowerCase(), description: feed.description, decimals: feed.decimals },
      ...{ source_hash: feed.sourceHash, heartbeat: String(feed.parameters.heartbeat) },
      maximum_deviation: feed.parameters.maximumDeviation,
      minimum_observations: feed.parameters.minimumObservations,
      ...{ latest_round_id: String(feed.latestRound), latest_answer: String(answer) },
      latest_updated_at: String(updatedAt),
    });
    expect(row?.closed_at === null).toBe(!feed.isClosed);
    expect(feed.isClosed).toBe(id === feeds.closed);
  }
});

test("a feed leads to its rounds, and a round to the observations that did not count", async () => {
  const { feed } = await indexer.graphql(
    `{ feed(id: "${feeds.open}") { description rounds(orderBy: "roundId") { items {
      roundId answer observations poster
      skipped(orderBy: "logIndex") { items { teeId value reason node { teeType } } } } } } }`,
  );
  const poster = chain.accounts[0].toLowerCase();
  const [first, , , fourth] = world.feeds.nodes.map(teeIdOf);
  const node = { teeType: 2 };
  expect(feed).toEqual({
    description: "ETH / USD",
    rounds: {
      items: [
        { roundId: "1", answer: "1001", observations: 3, poster, skipped: { items: [] } },
        {
          ...{ roundId: "2", answer: "-1002", observations: 3, poster },
          skipped: {
            items: [
              { teeId: fourth, value: "9000", reason: "Deviates", node },
              { teeId: first, value: "-1000", reason: "OperatorCounted", node },
            ],
          },
        },
      ],
    },
  });
});

describe("payments", () => {
  escrowCases(() => ({ world, indexer, jobs }));
  channelCases(() => ({ world, indexer, channels }));
  commerceCases(() => ({ world, indexer, commerce }));
});

describe("stake", () => {
  stakeCases(() => ({ world, indexer, accepted }));
});
