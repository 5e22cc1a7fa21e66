import { readFileSync } from "node:fs";
import { join } from "node:path";
import { zeroHash } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { searchModels } from "../../sdk/src/client/models/searchModels.ts";
import { deployRelays } from "./utils/deployRelays.ts";
import {
  CS_HASH,
  INPUT_LAYOUT,
  inferenceSettled,
  MODEL_ID,
  modelRegistered,
  NODE,
  OUTPUT_LAYOUT,
  OWNER,
  REQUESTER,
  STRAY_BIT,
  versionId,
  versionPublished,
} from "./utils/events.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

const OTHER_NODE = "0x4444444444444444444444444444444444444444";
const UNPUBLISHED = versionId(9, 9);
const WIDEST = 2 ** 32 - 1;
/** More elements than fit any memory: nobody has to count the words of what is under a commitment. */
const ENDLESS = Array(16).fill({ count: WIDEST, bits: 248, isSigned: false, scaleExponent: 0 });
const DOCUMENT = join(import.meta.dirname, "..", "..", "docs", "indexer.md");

type Receipt = Awaited<ReturnType<Chain["send"]>>;

const folder = temporaryFolder();
let chain: Chain;
let indexer: Indexer;
let settled: Receipt[];

beforeAll(async () => {
  chain = await startChain();
  const deployment = join(folder.path, "book.json");
  const { emit } = await deployRelays({ chain, path: deployment });
  const settle = (parameters: Parameters<typeof inferenceSettled>[0]) =>
    emit("settlement", "InferenceSettled", inferenceSettled(parameters));

  await emit("registry", "ModelRegistered", modelRegistered);
  await emit("registry", "VersionPublished", versionPublished(1, 0));
  await emit("registry", "VersionPublished", {
    ...versionPublished(WIDEST, WIDEST),
    ...{ csHash: "0x", transcriptHash: zeroHash, inputMode: 1, inputLayout: ENDLESS },
  });
  settled = [
    await settle({ nonce: 0n }),
    await settle({ nonce: 1n, verification: 0 }),
    await settle({ nonce: 1n }),
    await settle({ nonce: 2n, verification: 2 }),
    await settle({ nonce: 3n, strayBit: STRAY_BIT }),
    await settle({ nonce: 2n ** 96n - 1n, modelVersion: UNPUBLISHED }),
    await settle({ nonce: 0n, node: OTHER_NODE, modelVersion: versionId(WIDEST, WIDEST) }),
  ];
  await emit("registry", "VersionDeprecated", { versionId: versionId(1, 0), modelId: MODEL_ID });

  indexer = await startIndexer({ rpcUrl: chain.rpcUrl, deployment, dataDirectory: folder.path });
  await indexer.indexed(await chain.client.getBlockNumber());
});

afterAll(async () => {
  await indexer?.stop();
  await chain?.stop();
  folder.remove();
});

test("a settlement carries everything its event and its transaction say", async () => {
  const [receipt] = settled as [Receipt];
  const block = await chain.client.getBlock({ blockNumber: receipt.blockNumber });
  const event = inferenceSettled({ nonce: 0n });
  const { settlement } = await indexer.graphql(`{
    settlement(requestId: "${event.requestId}", verification: "zkml") {
      nodeAddress nonce verification batched verified state versionId modelId requester inputHash outputHash
      words inputs outputs label price timestamp teeId settler transactionHash gasUsed blockNumber
      blockHash blockTimestamp logIndex
    }
  }`);
  expect(settlement).toEqual({
    nodeAddress: NODE,
    nonce: "0",
    verification: "zkml",
    batched: false,
    verified: true,
    state: "settled",
    versionId: versionId(1, 0),
    modelId: MODEL_ID,
    requester: REQUESTER,
    inputHash: event.inputHash,
    outputHash: event.outputHash,
    words: event.words.map(String),
    inputs: [["0", "16", "3", "0"]],
    outputs: [["-5", "1200"], ["7"]],
    label: 7,
    price: "1000000000000000000000",
    timestamp: "1750000000",
    teeId: event.teeId,
    settler: chain.accounts[0].toLowerCase(),
    transactionHash: receipt.transactionHash,
    gasUsed: String(receipt.gasUsed),
    blockNumber: String(receipt.blockNumber),
    blockHash: receipt.blockHash,
    blockTimestamp: String(block.timestamp),
    logIndex: 0,
  });
});

test("Vanilla is never verified; words without a meaning are kept as they are", async () => {
  const rows = await indexer.sql(
    `select nonce, verification, verified, outputs is null as opaque, label, model_id is null as orphan
     from settlement where node_address = '${NODE}' order by nonce, verified`,
  );
  const readable = { opaque: false, label: 7, orphan: false };
  expect(rows).toEqual([
    { nonce: "0", verification: "zkml", verified: true, ...readable },
    { nonce: "1", verification: "vanilla", verified: false, ...readable },
    { nonce: "1", verification: "zkml", verified: true, ...readable },
    { nonce: "2", verification: "tee", verified: true, ...readable },
    { nonce: "3", verification: "zkml", verified: true, opaque: true, label: null, orphan: false },
    {
      nonce: String(2n ** 96n - 1n),
      verification: "zkml",
      verified: true,
      opaque: true,
      label: null,
      orphan: true,
    },
  ]);
  const [stray] = await indexer.sql("select words, inputs from settlement where nonce = 3");
  const { words } = inferenceSettled({ nonce: 3n, strayBit: STRAY_BIT });
  expect(stray).toEqual({ words: words.map(String), inputs: null });
});

test("the SDK finds models by a part of their name and by their owner, and none of another", async () => {
  const search = async (words: string) => {
    const client = { limits: { answerBytes: 1_000_000, askMs: 60_000 } };
    return await searchModels({ client, indexer: new URL(indexer.url), words });
  };
  const found = [
    {
      ...{ slug: "digits", owner: OWNER, verifiedCount: 5, settledCount: 6, pagedCount: 0 },
      versions: [
        { number: `${WIDEST}.${WIDEST}`, status: "published" },
        { number: "1.0", status: "deprecated", version: versionId(1, 0), kind: "zkml" },
      ],
    },
  ];
  expect(await search("IGIT")).toMatchObject(found);
  expect(await search(OWNER.toUpperCase().replace("X", "x"))).toMatchObject(found);
  expect(await search("digits2")).toEqual([]);
  expect(await search(OTHER_NODE)).toEqual([]);
});

test("models lead to versions, versions to settlements, settlements to nodes", async () => {
  const { models } = await indexer.graphql(`{
    models {
      items {
        id slug owner versionCount settledCount verifiedCount
        versions(orderBy: "major") {
          items {
            major minor status deprecatedAt csHash transcriptHash inputMode inputWords outputWords inputLayout outputLayout
            settledCount verifiedCount
            settlements { totalCount items { node { address settledCount verifiedCount } } }
          }
        }
      }
    }
  }`);
  const { timestamp: deprecatedAt } = await chain.client.getBlock();
  const node = { address: NODE, settledCount: 6, verifiedCount: 5 };
  const otherNode = { address: OTHER_NODE, settledCount: 1, verifiedCount: 1 };
  const shape = {
    ...{ csHash: CS_HASH, transcriptHash: versionPublished(1, 0).transcriptHash },
    ...{ inputMode: "packed", inputWords: 1, outputWords: 1 },
    ...{ inputLayout: INPUT_LAYOUT, outputLayout: OUTPUT_LAYOUT },
  };
  const committed = {
    ...{ ...shape, csHash: null, transcriptHash: null },
    ...{ inputMode: "committed", inputLayout: ENDLESS },
  };
  expect(models).toEqual({
    items: [
      {
        ...{ id: MODEL_ID, slug: "digits", owner: OWNER },
        ...{ versionCount: 2, settledCount: 6, verifiedCount: 5 },
        versions: {
          items: [
            {
              ...{ major: "1", minor: "0", status: "deprecated" },
              ...{ deprecatedAt: String(deprecatedAt), ...shape },
              ...{ settledCount: 5, verifiedCount: 4 },
              settlements: { totalCount: 5, items: Array(5).fill({ node }) },
            },
            {
              ...{ major: String(WIDEST), minor: String(WIDEST), status: "published" },
              ...{ deprecatedAt: null, ...committed },
              ...{ settledCount: 1, verifiedCount: 1 },
              settlements: { totalCount: 1, items: [{ node: otherNode }] },
            },
          ],
        },
      },
    ],
  });
});

test("the words of a committed input are shown, and no inputs", async () => {
  const id = versionId(WIDEST, WIDEST);
  const [row] = await indexer.sql(
    `select words, inputs, outputs from settlement where version_id = '${id}'`,
  );
  const { words } = inferenceSettled({ nonce: 0n, node: OTHER_NODE });
  expect(row).toEqual({
    ...{ words: words.map(String), inputs: null, outputs: [["-5", "1200"], ["7"]] },
  });
});

test("a node's first and last settlement give the times it was seen", async () => {
  const first = await chain.client.getBlock({ blockNumber: settled[0]?.blockNumber ?? 0n });
  const last = await chain.client.getBlock({ blockNumber: settled[5]?.blockNumber ?? 0n });
  const { node } = await indexer.graphql(`{ node(address: "${NODE}") { firstSeenAt lastSeenAt } }`);
  expect(node).toEqual({
    firstSeenAt: String(first.timestamp),
    lastSeenAt: String(last.timestamp),
  });
});

test.each(["delete from settlement", "update node set settled_count = 0", "drop table model"])(
  "SQL over HTTP refuses to %s",
  async (statement) => {
    const before = await indexer.tables();
    await expect(indexer.sqlOverHttp(statement)).rejects.toThrow("500");
    expect(await indexer.tables()).toEqual(before);
  },
);

test("the service endpoints answer", async () => {
  const get = async (path: string) => {
    const response = await fetch(`${indexer.url}${path}`);
    return { status: response.status, body: await response.text() };
  };
  expect(await get("/health")).toEqual({ status: 200, body: "" });
  expect(await get("/ready")).toEqual({ status: 200, body: "" });
  expect((await get("/metrics")).body).toContain("ponder_indexing_completed_events");
  expect(JSON.parse((await get("/status")).body)).toMatchObject({ settlement: { id: 31337 } });
  const index = JSON.parse((await get("/")).body);
  expect(index.databaseSchema).toMatch(/^haca_31337_[0-9a-f]{16}$/);
  expect(Object.keys(index.endpoints)).toContain("/graphql");
});

const examples = (language: string) =>
  [...readFileSync(DOCUMENT, "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g)]
    .filter(([, found]) => found === language)
    .map(([, , text = ""]) => text);

test("every GraphQL example of the manual runs", async () => {
  const queries = examples("graphql");
  expect(queries.length).toBeGreaterThan(0);
  for (const query of queries) {
    expect(Object.keys(await indexer.graphql(query))).not.toHaveLength(0);
  }
});

test("every SQL example of the manual runs and finds rows", async () => {
  const queries = examples("sql");
  expect(queries.length).toBeGreaterThan(0);
  for (const query of queries) {
    const rows = await indexer.sql(query);
    // This chain has no governor; token.test.ts compares what that query finds.
    if (!query.includes("from proposal")) expect(rows).not.toHaveLength(0);
  }
});
