import { join } from "node:path";
import { readAddressBook, writeAddressBook } from "@haca/protocol/addressBook";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readSettings } from "../src/config/commandLine.ts";
import { VARIABLES } from "../src/config/variables.ts";
import { infer, jobIn } from "./support/client.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { LocalChain } from "./support/localChain.ts";
import { embeddedQueue } from "./support/queues.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { Testbed } from "./support/testbed.ts";
import type { Settings } from "./support/worker.ts";

let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.start();
});
afterAll(() => testbed.stop());

/** Runs a worker that is expected to end by itself; returns its status and what it said. */
async function run(settings: Settings, args: readonly string[] = ["infer", "prove", "settle"]) {
  const { child } = testbed.process(settings, args);
  const { code } = await child.exited;
  return { code, said: child.lines.filter((line) => !line.startsWith("{")) };
}

describe("configuration errors", () => {
  it("end the start with status 2 and one line that names the variable", async () => {
    const { HACA_RPC_URL: _, ...rest } = await testbed.settings({ account: 1 });
    const { code, said } = await run(rest);
    expect(said).toEqual(["HACA_RPC_URL: not set (JSON-RPC endpoint of the chain)"]);
    expect(code).toBe(2);
  });

  it("count for flags too, which win over the environment", async () => {
    const settings = await testbed.settings({ account: 1 });
    const { code, said } = await run(settings, ["settle", "--http-port", "99999"]);
    expect(said).toEqual(["HACA_HTTP_PORT: must be between 0 and 65535"]);
    expect(code).toBe(2);
  });

  it("include a key on the command line", async () => {
    const settings = await testbed.settings({ account: 1 });
    const { code, said } = await run(settings, ["settle", "--node-key", "0x12"]);
    expect(said.join("\n")).toMatch(/unknown option '--node-key'/);
    expect(code).toBe(2);
  });
});

describe("help", () => {
  it("lists every setting with its default, in 80 columns", async () => {
    const { code, said } = await run({}, ["--help"]);
    expect(code).toBe(0);
    const text = said.join("\n");
    expect(text).toMatch(/HACA_HTTP_PORT +--http-port\n +.+ \[8080\]/);
    expect(text).toMatch(/HACA_NODE_KEY +environment only/);
    for (const name of Object.keys(VARIABLES)) expect(text).toContain(`  ${name}  `);
    expect(said.filter((line) => line.length > 80)).toEqual([]);
  });

  it("of a role lists what that role takes, and starts nothing", async () => {
    const { code, said } = await run({}, ["prove", "--help"]);
    expect(code).toBe(0);
    expect(said.join("\n")).toContain("HACA_PROVE_THREADS");
    expect(said.join("\n")).not.toContain("HACA_PRICE");
  });
});

describe("an option that the role does not take", () => {
  it.each([
    [["status", "--price", "1"], "--price: status does not take it (infer does)"],
    [
      ["prove", "--max-fee-per-gas", "1"],
      "--max-fee-per-gas: prove does not take it (settle, heartbeat, facilitate, data-node, watch, validate does)",
    ],
    [
      ["infer", "prove", "--enclave-url", "http://a"],
      "--enclave-url: infer, prove does not take it (heartbeat, data-node does)",
    ],
  ])("%j is refused", async (args, message) => {
    expect(await run({}, args)).toEqual({ code: 2, said: [message] });
  });

  it("is taken where one of several roles takes it", async () => {
    const { said } = await run({}, ["prove", "settle", "--max-fee-per-gas", "x"]);
    expect(said[0]).toMatch(/^HACA_(RPC_URL|MAX_FEE_PER_GAS): /);
  });
});

describe("paths", () => {
  const readFrom = (folder: string, options: Record<string, string>) =>
    readSettings({ roles: ["infer"], options, environment: {}, folder });

  it("are those of the folder in which the command was given", () => {
    const options = { dataDir: "queue", models: "a, ../b", addressBook: "/books/1.json" };
    expect(readFrom("/home/me", options)).toMatchObject({
      HACA_DATA_DIR: "/home/me/queue",
      HACA_MODELS: "/home/me/a,/home/b",
      HACA_ADDRESS_BOOK: "/books/1.json",
    });
  });

  it("that are not given do not depend on the folder", () => {
    expect(readFrom("/home/me", {}).HACA_DATA_DIR).toBe(readFrom("/", {}).HACA_DATA_DIR);
    expect(readFrom("/", {}).HACA_DATA_DIR).toMatch(/data\/worker$/);
  });
});

describe("a start that cannot work", () => {
  const brokenBook = async (
    settings: Settings,
    change: (book: ReturnType<typeof readAddressBook>) => void,
  ): Promise<Settings> => {
    const book = readAddressBook(settings.HACA_ADDRESS_BOOK ?? "");
    change(book);
    const path = join(temporaryFolder(), "book.json");
    writeAddressBook({ path, book });
    return { ...settings, HACA_ADDRESS_BOOK: path };
  };
  const expectOneLine = async (settings: Settings, message: RegExp): Promise<void> => {
    const { code, said } = await run(settings);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(message);
    expect(code).toBe(1);
  };

  it("for a missing address book", async () => {
    const settings = await testbed.settings({ account: 1 });
    await expectOneLine(
      { ...settings, HACA_ADDRESS_BOOK: "/nowhere/book.json" },
      /no address book at \/nowhere\/book\.json/,
    );
  });

  it("for another chain id", async () => {
    const settings = await testbed.settings({ account: 1 });
    await expectOneLine(
      { ...settings, HACA_CHAIN_ID: "5" },
      /^HACA_RPC_URL: the endpoint serves chain 31337, HACA_CHAIN_ID says 5$/,
    );
  });

  it("for a model that is not the registered one", async () => {
    const settings = await brokenBook(await testbed.settings({ account: 1 }), ({ models }) => {
      for (const model of models) model.verifyingKeyHash = `0x${"12".repeat(32)}`;
    });
    await expectOneLine(
      settings,
      /^HACA_MODELS: .*: verifying key hash in the address book is 0x1212.*, the folder has 0x/,
    );
  });

  it("for a model that the chain does not know", async () => {
    const settings = await brokenBook(await testbed.settings({ account: 1 }), ({ models }) => {
      for (const model of models) model.versionId = `0x${"12".repeat(32)}`;
    });
    await expectOneLine(settings, /^HACA_MODELS: .*: the chain has no version 0x1212.*\(digits\)/);
  });

  it("for a folder without a model", async () => {
    const settings = await testbed.settings({ account: 1 });
    await expectOneLine(
      { ...settings, HACA_MODELS: "/nowhere" },
      /^HACA_MODELS: \/nowhere: no file/,
    );
  });
});

describe("a queue", () => {
  it("belongs to one process: the second names the first and changes nothing", async () => {
    const settings = { ...(await testbed.settings({ account: 2 })), ...embeddedQueue() };
    const first = testbed.process(settings);
    const url = await first.url();
    const { code, said } = await run(settings);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(new RegExp(`open in process ${first.child.process.pid} `));
    expect(code).toBe(1);

    const { requestId } = await infer(url);
    await jobIn(url, requestId, "settled");
    const port = new URL(url).port;
    const running = await run({ ...settings, HACA_HTTP_PORT: port }, ["status"]);
    expect(running.said).toEqual(expect.arrayContaining([`worker at ${url}/health`]));
    expect(running.said.join("\n")).toMatch(/settled +1/);

    await first.child.stop();
    const stopped = await run(settings, ["status"]);
    expect(stopped.said.join("\n")).toMatch(/queue in .*\n.*accepted +0[\s\S]*settled +1/);
  });

  it("belongs to one node and one chain", async () => {
    const settings = await testbed.settings({ account: 3 });
    const first = testbed.process(settings);
    await first.url();
    await first.child.stop();
    const other = await testbed.settings({ account: 4 });
    const otherNode = { ...settings, HACA_NODE_KEY: other.HACA_NODE_KEY ?? "" };
    expect((await run(otherNode)).said).toEqual([
      expect.stringMatching(/^the queue belongs to node 0x.*, this worker serves 0x/),
    ]);

    const chain = await LocalChain.start();
    onTestFinished(() => chain.stop());
    const restarted = { ...settings, HACA_RPC_URL: chain.url };
    expect((await run(restarted, ["settle"])).said).toEqual([
      expect.stringMatching(/^the queue belongs to genesis hash 0x.*, this worker serves 0x/),
    ]);
  });
});

describe("stopping", () => {
  it("finishes what is in flight and leaves with status 0", async () => {
    const settings = await testbed.settings({ account: 5 });
    const worker = testbed.process(settings);
    const { requestId } = await infer(await worker.url());
    await worker.logged("proving");
    worker.child.kill("SIGTERM");
    await worker.logged("proven");
    expect(await worker.child.exited).toEqual({ code: 0, signal: null });
    expect(worker.child.lines.at(-1)).toContain('"stopped"');
    expect(worker.child.lines.join("\n")).not.toContain(settings.HACA_NODE_KEY);

    const successorUrl = await testbed.process(settings).url();
    await jobIn(successorUrl, requestId, "settled");
  });

  it("is immediate at the second signal", async () => {
    const proxy = await EndpointProxy.start(testbed.chain.url);
    onTestFinished(() => proxy.stop());
    const settings = await testbed.settings({ account: 6 });
    const worker = testbed.process({ ...settings, HACA_RPC_URL: proxy.url });
    const url = await worker.url();
    proxy.mode = "hanging";
    const { requestId } = await infer(url);
    await jobIn(url, requestId, "proven");
    await proxy.hung;
    worker.child.kill("SIGINT");
    await worker.logged("stopping: finishing what is in flight; again to stop at once");
    worker.child.kill("SIGINT");
    expect(await worker.child.exited).toEqual({ code: 1, signal: null });
  });

  it("ends a start that waits for the endpoint", async () => {
    const settings = await testbed.settings({ account: 6 });
    const worker = testbed.process({ ...settings, HACA_RPC_URL: "http://127.0.0.1:1" });
    await worker.logged("HACA_RPC_URL: no answer");
    await worker.child.stop();
    expect(await worker.child.exited).toEqual({ code: 0, signal: null });
  });
});
