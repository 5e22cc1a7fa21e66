import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readAddressBook, writeAddressBook } from "@haca/protocol/addressBook";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { deployRelays } from "./utils/deployRelays.ts";
import { MODEL_ID, modelRegistered, versionPublished } from "./utils/events.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { type RunningProcess, startProcess } from "./utils/startProcess.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

const COMMAND = join(import.meta.dirname, "..", "launch", "cli.ts");

/** More than Ponder changes one by one. */
const VERSIONS = 21;
/** More blocks than are read as one range, and than count as final. */
const AGE = 40;

const folder = temporaryFolder();
const deployment = join(folder.path, "book.json");
let chain: Chain;
let relays: Awaited<ReturnType<typeof deployRelays>>;
let good: Record<string, string>;
let program: RunningProcess | undefined;

beforeAll(async () => {
  chain = await startChain();
  relays = await deployRelays({ chain, path: deployment });
  good = {
    HACA_RPC_URL: chain.rpcUrl,
    HACA_ADDRESS_BOOK: deployment,
    HACA_INDEXER_DATA_DIR: folder.path,
  };
});

// A launcher that should have given up and did not.
afterEach(() => program?.stop("SIGKILL"));

afterAll(async () => {
  await chain?.stop();
  folder.remove();
});

/** Runs the launcher until it gives up; returns what it printed. */
async function launch(environment: Record<string, string>): Promise<string> {
  program = startProcess({
    command: process.execPath,
    arguments: [COMMAND],
    environment: { ...good, ...environment },
  });
  expect(await program.ended).toBe(1);
  return program.output();
}

/** Writes a changed copy of the address book and returns its path. */
function changedBook(change: (book: ReturnType<typeof readAddressBook>) => void): string {
  const book = readAddressBook(deployment);
  change(book);
  const path = join(folder.path, "changed.json");
  writeAddressBook({ path, book });
  return path;
}

test("names a variable that is wrong", async () => {
  const output = await launch({ HACA_CHAIN_ID: "base" });
  expect(output).toBe("error: HACA_CHAIN_ID: must be a positive integer\n");
});

test("names the address book that is not there", async () => {
  const path = join(folder.path, "absent.json");
  const output = await launch({ HACA_ADDRESS_BOOK: path });
  expect(output).toMatch(/^error: HACA_ADDRESS_BOOK: no address book at .*absent\.json: .*\n$/);
});

test("refuses an address book of another chain", async () => {
  const path = changedBook((book) => {
    book.chainId = 84532;
  });
  const output = await launch({ HACA_ADDRESS_BOOK: path });
  expect(output).toBe(
    `error: HACA_ADDRESS_BOOK: ${path} is for chain 84532, HACA_CHAIN_ID says 31337\n`,
  );
});

test("refuses a node of another chain", async () => {
  const path = changedBook((book) => {
    book.chainId = 84532;
  });
  const output = await launch({ HACA_ADDRESS_BOOK: path, HACA_CHAIN_ID: "84532" });
  expect(output).toBe("error: HACA_RPC_URL: the node serves chain 31337, expected 84532\n");
});

test("says that nothing answers, without the URL's path, which may be a key", async () => {
  const output = await launch({ HACA_RPC_URL: "http://127.0.0.1:9/secret" });
  expect(output).toBe("error: HACA_RPC_URL: no answer from 127.0.0.1:9\n");
});

test("refuses an address without a contract", async () => {
  const address = `0x${"99".repeat(20)}`;
  const path = changedBook((book) => {
    book.contracts.InferenceSettlement.address = address;
  });
  const output = await launch({ HACA_ADDRESS_BOOK: path });
  expect(output).toBe(
    `error: HACA_ADDRESS_BOOK: ${path} puts InferenceSettlement at ${address}, where chain 31337 has no contract: deploy again\n`,
  );
});

test("refuses an address with another contract", async () => {
  const path = changedBook(({ contracts }) => {
    contracts.InferenceSettlement.address = contracts.ModelRegistry.address;
  });
  const output = await launch({ HACA_ADDRESS_BOOK: path });
  expect(output).toMatch(
    /^error: HACA_ADDRESS_BOOK: the code of InferenceSettlement at .* is not the code that .* names\n$/,
  );
});

test("refuses a creation block that the chain does not have", async () => {
  const path = changedBook(({ contracts }) => {
    contracts.InferenceSettlement.block = 1_000_000;
  });
  const output = await launch({ HACA_ADDRESS_BOOK: path });
  expect(output).toBe(
    `error: HACA_ADDRESS_BOOK: chain 31337 has no block 1000000, which ${path} names\n`,
  );
});

test("refuses a port that is taken instead of moving to the next", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const output = await launch({ HACA_INDEXER_PORT: String(port) });
  server.close();
  expect(output).toBe(
    `error: HACA_INDEXER_PORT: cannot listen on 127.0.0.1:${port} (EADDRINUSE)\n`,
  );
});

test("stops on SIGTERM with status 0 and continues its tables, with rows that were changed together", async () => {
  const minors = [...Array(VERSIONS).keys()];
  await relays.emit("registry", "ModelRegistered", modelRegistered);
  for (const minor of minors) {
    await relays.emit("registry", "VersionPublished", versionPublished(1, minor));
  }
  await chain.client.mine({ blocks: AGE, interval: 1 });
  for (const minor of minors) {
    const versionId = versionPublished(1, minor).versionId;
    await relays.emit("registry", "VersionDeprecated", { versionId, modelId: MODEL_ID });
  }
  await chain.client.mine({ blocks: AGE, interval: 1 });
  const statuses = (indexer: Indexer) =>
    indexer.sql("select status, count(*)::text from model_version group by status");
  const expected = [{ status: "deprecated", count: String(VERSIONS) }];
  const place = { rpcUrl: chain.rpcUrl, deployment, dataDirectory: folder.path };
  const parameters = { ...place, isEmbedded: true };
  const first = await startIndexer(parameters);
  onTestFinished(() => void first.stop("SIGKILL"));
  expect(await statuses(first)).toEqual(expected);
  await expect(first.sqlOverHttp("update model_version set status = 'x'")).rejects.toThrow();
  expect(await first.stop("SIGTERM")).toBe(0);
  await expect(fetch(`${first.url}/health`)).rejects.toThrow();

  const second = await startIndexer(parameters);
  onTestFinished(() => void second.stop("SIGKILL"));
  expect(await statuses(second)).toEqual(expected);
  const output = second.output();
  expect(await second.stop("SIGINT")).toBe(0);
  expect(output).toContain("Detected crash recovery");
  expect(output).not.toContain("Schema is locked");
});
