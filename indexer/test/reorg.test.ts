import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { accessManagerAbi } from "@haca/protocol/abi";
import { type Hex, keccak256, stringToHex, zeroAddress } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { BlobFront } from "../../worker/test/support/blobFront.ts";
import { deployWorld, type World } from "./utils/deployWorld.ts";
import { STRAY_BIT } from "./utils/events.ts";
import { BLOB_ID } from "./utils/legacyOperations.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";
import { addressOf } from "./utils/writeBook.ts";

let chain: Chain;
let world: World;
let folder: ReturnType<typeof temporaryFolder>;
let indexers: Indexer[];
let front: BlobFront;
/** The chain with nothing but the world on it, where every test begins. */
let clean: Hex;
/** Each test has databases of its own. */
let databases: string;

const store = async (bytes: Uint8Array) => {
  const url = `${front.settings.HACA_BLOB_PUBLISHER}?epochs=1`;
  await fetch(url, { method: "PUT", body: Uint8Array.from(bytes) });
};

beforeAll(async () => {
  folder = temporaryFolder();
  chain = await startChain();
  front = await BlobFront.start(join(folder.path, "blobs"));
  world = await deployWorld({ chain, folder: folder.path, seed: "reorg" });
  for (const account of [world.node.operator, chain.accounts[6] as Hex]) {
    await world.pages.deposit(account);
  }
  clean = await chain.client.snapshot();
});

afterAll(async () => {
  await front?.stop();
  await chain?.stop();
  folder.remove();
});

beforeEach(async () => {
  indexers = [];
  databases = mkdtempSync(join(folder.path, "databases-"));
  await chain.client.revert({ id: clean });
  clean = await chain.client.snapshot();
});

afterEach(async () => {
  await Promise.all(indexers.map((indexer) => indexer.stop()));
});

/** An indexer with the database folder `name`, caught up with the chain. */
async function catchUp(name: string, isEmbedded = false): Promise<Indexer> {
  const indexer = await startIndexer({
    rpcUrl: chain.rpcUrl,
    deployment: join(folder.path, "book.json"),
    dataDirectory: join(databases, name),
    isEmbedded,
    blobAggregator: front.url,
  });
  indexers.push(indexer);
  await indexer.indexed(await chain.client.getBlockNumber());
  return indexer;
}

const grantRole = (account: Hex, delay: number) =>
  world.token.call({
    ...{ to: addressOf(world.contracts.deployed.accessManager), abi: accessManagerAbi },
    ...{ functionName: "grantRole", args: [9n, account, delay] },
  });

/** Makes one of the owners a validator, with somebody else's stake. */
async function makeValidator(place: 0 | 1): Promise<void> {
  const { staking } = world;
  const { accounts, call, owners, prepare, register } = staking;
  const [owner, delegator] = [owners[place] as Hex, accounts[place] as Hex];
  await prepare();
  await register(owner);
  await call("enter", [zeroAddress], owner);
  await call("delegate", [owner, 7n * 10n ** 18n], delegator);
  await call("addRewards", [10n ** 18n], delegator);
  await call("undelegate", [owner, 10n ** 18n], delegator);
}

/** Events of every kind that will turn out never to have happened. */
async function makeDoomedHistory() {
  const { bonds, contracts, enclaves, legacy, node, onToken, governance, pages, tee, vesting } =
    world;
  // First, so that in the history that replaces it another configuration comes in a block of the same number.
  await enclaves.setOhttpConfig(node, "0xd0");
  await contracts.settle({ nonce: 1n, label: 2n });
  await contracts.settle({ nonce: 0n, node: chain.accounts[1] });
  await contracts.publish(1, 1);
  await contracts.deprecate(1, 0);
  await bonds.setLedgerWriter(tee.registry.address, true);
  await bonds.setAmount(7n);
  await bonds.forfeit(await bonds.admit(), chain.accounts[0]);
  const watcher = chain.accounts[6] as Hex;
  const kept = await pages.propose({ node, number: 1n, places: [0, 1], store });
  await pages.call("requestLeaf", [kept.header as never, 1], watcher);
  await pages.answer(kept, 1, watcher);
  const wrong = await pages.propose({ node, number: 2n, places: [3, 4], forged: 4, store });
  await pages.challenge(wrong, 4, watcher);
  await makeValidator(0);
  const anchoredRoot = await legacy.anchor("discarded");
  const individual = await legacy.settleIndividual(node.operator);
  await tee.call("banTEE", [node.enclave.teeId as Hex]);
  await tee.call("setHeartbeatMaxAge", [61n]);
  await tee.call("denyOperator", [node.operator]);
  const { issuer, serial } = node.certificates[0] ?? { issuer: new Uint8Array(), serial: 0n };
  await tee.revokeUnseen(issuer, serial);
  await vesting.operations.createBatch();
  await vesting.operations.release();
  await onToken(vesting.accounts[0] as Hex, "delegate", [vesting.accounts[1]]);
  await onToken(vesting.accounts[1] as Hex, "burn", [5n]);
  await governance.operations.propose();
  await grantRole(vesting.accounts[0] as Hex, 7);
  return { anchoredRoot, individual };
}

/** The history that replaces it, one block longer. */
async function makeReplacement(replacedHeight: bigint): Promise<void> {
  const { bonds, contracts, enclaves, legacy, node, onToken, pages, tee, vesting } = world;
  await enclaves.setOhttpConfig(node, "0xbeef");
  await legacy.anchor("kept", 3n);
  await bonds.setLedgerWriter(tee.store.address, true);
  await bonds.setAmount(5n);
  // Other requests of the same ledger page: those of the discarded page are free.
  await pages.propose({ node, number: 1n, places: [1, 2, 3], store });
  await makeValidator(1);
  await tee.call("disableTEE", [node.enclave.teeId as Hex], node.operator);
  await onToken(vesting.accounts[2] as Hex, "delegate", [vesting.accounts[1]]);
  await grantRole(vesting.accounts[1] as Hex, 3);
  await contracts.settle({ nonce: 1n, label: 3n });
  await contracts.settle({ nonce: 2n, strayBit: STRAY_BIT });
  const height = await chain.client.getBlockNumber();
  await chain.client.mine({ blocks: Number(replacedHeight - height) + 1 });
}

/** What an indexer has at the end of the replacement, when it is stopped. */
async function replacementOf(indexer: Indexer) {
  const rows = await indexer.sql(
    "select nonce, label, verified, settler from settlement where page_id is null order by nonce",
  );
  const settler = chain.accounts[0].toLowerCase();
  expect(rows).toEqual([
    { nonce: "0", label: 7, verified: true, settler },
    { nonce: "1", label: 3, verified: true, settler },
    { nonce: "2", label: null, verified: true, settler },
  ]);
  const [model] = await indexer.sql(
    "select version_count, model.settled_count, status from model join model_version on model_id = model.id",
  );
  expect(model).toEqual({ version_count: 1, settled_count: 3, status: "published" });
  const tables = await indexer.tables();
  expect(tables.tee_ohttp_config).toMatchObject([{ key_config: "0xbeef" }]);
  expect(tables.tee_node).toMatchObject([{ status: "disabled" }]);
  expect(tables.proposal).toEqual([]);
  expect(tables.anchored_root).toMatchObject([
    {
      ...{ root: keccak256(stringToHex("kept")), sender: settler, batch_size: "3" },
      ...{ blob_id: BLOB_ID, state: "anchored" },
    },
  ]);
  expect(tables.individual_settlement).toEqual([]);
  expect(tables.node_bond).toEqual([]);
  expect(tables.page).toMatchObject([{ bitmap: "14", blob: "read", outcome: "open" }]);
  expect(tables.leaf_request).toEqual([]);
  const owner = world.staking.owners[1]?.toLowerCase();
  expect(tables.validator).toMatchObject([{ owner, is_in_set: true }]);
  expect(tables.stake_delegation).toHaveLength(2);
  expect(tables.page_attester).toHaveLength(1);
  expect(tables.challenge_commitment).toEqual([]);
  const paged = tables.settlement?.filter(({ state }) => state === "paged");
  expect(paged?.map(({ nonce }) => nonce).sort()).toEqual(["257", "258", "259"]);
  const writers = tables.ledger_writer?.map(({ address }) => address);
  expect(writers).toHaveLength(2);
  expect(writers).toContain(world.tee.store.address.toLowerCase());
  expect(tables.tee_parameter).toContainEqual(
    expect.objectContaining({ name: "bondAmount", value: "5" }),
  );
  const empty = Object.keys(tables).filter((name) => tables[name]?.length === 0);
  expect(Object.keys(tables).length - empty.length).toBeGreaterThan(20);
  await indexer.stop();
  return tables;
}

const CHAINS = [
  ["whose registry is already final", 70],
  ["whose whole history is recent", 0],
] as const;

test.each(process.env.HACA_DEEP === "1" ? CHAINS : CHAINS.slice(0, 1))(
  "a reorg under a running indexer, and one that a killed indexer did not see, leave the tables of a fresh one, on a chain %s",
  async (_, blocks) => {
    if (blocks > 0) {
      await chain.client.mine({ blocks });
    }
    const snapshot = await chain.client.snapshot();
    const running = await catchUp("running");
    const killed = await catchUp("killed", true);
    const { anchoredRoot, individual } = await makeDoomedHistory();
    const height = await chain.client.getBlockNumber();
    await killed.indexed(height);
    await killed.stop("SIGKILL");
    await running.indexed(height);
    const discarded = await running.tables();
    expect(discarded.settlement?.filter(({ state }) => state === "settled")).toHaveLength(3);
    expect(discarded.settlement?.filter(({ state }) => state === "paged")).toHaveLength(2);
    expect(discarded.page?.map(({ outcome }) => outcome).sort()).toEqual(["open", "rejected"]);
    expect(discarded.proposal).toHaveLength(1);
    // The enclave whose answer is settled alone leaves a bond too.
    const bonds = discarded.node_bond?.map(({ state, amount }) => `${state} ${amount}`);
    expect(bonds?.sort()).toEqual(["forfeited 7", "locked 7"]);
    expect(discarded.ledger_writer).toHaveLength(2);
    expect(discarded.tee_node).toHaveLength(3);
    expect(discarded.anchored_root).toMatchObject([{ root: anchoredRoot, batch_size: "20" }]);
    expect(discarded.individual_settlement).toMatchObject([
      {
        ...{ tee_id: individual.teeId, message_hash: individual.messageHash },
        ...{ input_hash: individual.inputHash, output_hash: individual.outputHash },
        ...{ timestamp: String(individual.timestamp), signature: individual.signature },
        ...{ eth_address: world.node.operator.toLowerCase(), blob_id: BLOB_ID },
        settler: chain.accounts[0].toLowerCase(),
      },
    ]);

    await chain.client.revert({ id: snapshot });
    await makeReplacement(height);
    await running.indexed(height + 1n);
    const kept = await replacementOf(running);
    const continued = await catchUp("killed", true);
    expect(continued.output()).toContain("Detected crash recovery");
    const recovered = await replacementOf(continued);
    const fresh = await (await catchUp("fresh")).tables();
    expect(kept).toEqual(fresh);
    expect(recovered).toEqual(fresh);
  },
);
