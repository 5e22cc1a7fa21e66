import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { Interface } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settledDigest } from "../src/chain/contractReads.ts";
import { receiptId } from "../src/typedData.ts";
import { type Goal, type Waiting, wait } from "../src/wait.ts";
import { endpoints, HONEST, REGISTRY, servedChains } from "./support/chains.ts";
import { type Contracts, type FakeChain, serve } from "./support/fakeChain.ts";
import { NOW, OPTIONS, receiptOf, textOf, VECTORS } from "./support/vectors.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));
const { pins } = OPTIONS;
const start = servedChains();

/** The chain's contracts and its head may be changed while somebody waits. */
type Moving = { time: bigint; contracts: Record<string, Contracts[string]> };
const moving = (contracts: Contracts = {}): Moving => ({
  ...{ time: NOW, contracts: { ...HONEST, ...contracts } },
});
const digestOf = () => [settledDigest(1n, receiptOf("zkml").core)];

const abi = new Interface(inferenceSettlementAbi);
/** The event of a receipt's settlement, with some fields as somebody else has them. */
function eventOf(name: string, changes: Readonly<Record<string, unknown>> = {}): object {
  const { message } = receiptOf(name).core;
  const { requestId, modelVersion, requester } = message;
  const fields = {
    ...{ verification: 1, inputHash: message.inputHash, outputHash: message.outputHash },
    ...{ price: message.price, timestamp: message.timestamp, teeId: message.teeId, words: [] },
    ...changes,
  };
  return abi.encodeEventLog("InferenceSettled", [
    ...[requestId, modelVersion, requester, fields.verification, fields.inputHash],
    ...[fields.outputHash, fields.price, fields.timestamp, fields.teeId, fields.words],
  ]);
}

async function waitOn(
  name: string,
  chain: Partial<FakeChain>,
  until: Goal = "settled",
  onProgress?: (waiting: Waiting) => void,
) {
  const rpcs = [await start(chain)];
  return await wait(textOf(name), until, { pins, rpcs, pollMs: 1, onProgress });
}

describe("wait", () => {
  it("says for what it waits at each look, and ends when it is there", async () => {
    const chain = moving();
    const seen: Waiting[] = [];
    const line = await waitOn("zkml", chain, "settled", (waiting) => {
      seen.push(waiting);
      Object.assign(chain.contracts, { isSettled: () => [true], digestOf });
    });
    expect(seen.map(({ clock }) => clock)).toEqual(["settlement"]);
    expect(seen[0]?.detail).toMatch(/nobody has settled it yet; the node has time until \d+/);
    expect(seen[0]?.asOf).toMatchObject({ type: "block", number: "100" });
    expect(line).toMatchObject({ check: "settled", status: "asserted", source: "trusts 1 RPC" });
  });

  it("follows a page to its end, whose time it says", async () => {
    const end = NOW + 600n;
    const chain = moving({ verifyInclusion: () => [1, end, 9] });
    const seen: Waiting[] = [];
    const line = await waitOn("zkmlInPage", chain, "settled", (waiting) => {
      seen.push(waiting);
      chain.contracts.verifyInclusion =
        seen.length === 1 ? () => [1, (1n << 256n) - 1n, 9] : () => [2, 0, 0];
    });
    expect(seen.map(({ clock, end: shown }) => [clock, shown])).toEqual([
      ["page", end],
      ["page", null],
    ]);
    expect(line.detail).toBe("the page is final");
  });

  it("waits for the chain to finalise the block, where that is asked for", async () => {
    let finalised = 90n;
    const seen: Waiting[] = [];
    const settled = { ...HONEST, isSettled: () => [true], digestOf };
    const rpcs = [
      await start({
        finalized: () => finalised,
        at: (number) => (number < 95n ? HONEST : settled),
      }),
    ];
    const line = await wait(textOf("zkml"), "final", {
      ...{ pins, rpcs, pollMs: 1 },
      onProgress(waiting) {
        seen.push(waiting);
        finalised = 100n;
      },
    });
    expect(seen.map(({ clock }) => clock)).toEqual(["finality"]);
    expect(seen[0]?.detail).toMatch(/finalised block 90 so far/);
    expect(line.asOf).toMatchObject({ number: "100" });
  });

  it("knows by its event which result without a price was settled", async () => {
    const settled = moving({ isSettled: () => [true] });
    const withLogs = (...logs: object[]) => ({ ...settled, overrides: { eth_getLogs: logs } });
    const line = await waitOn("zkml", withLogs(eventOf("zkml")));
    expect(line.status).toBe("asserted");
    const vanilla = eventOf("zkml", { verification: 0, outputHash: `0x${"12".repeat(32)}` });
    expect((await waitOn("zkml", withLogs(vanilla, eventOf("zkml")))).status).toBe("asserted");
    const other = eventOf("zkml", { outputHash: `0x${"12".repeat(32)}` });
    await expect(waitOn("zkml", withLogs(other))).rejects.toThrow(/another result/);
    await expect(waitOn("zkml", settled)).rejects.toMatchObject({ code: "wait.whichResult" });
  });

  it("goes on where endpoints do not answer, once they have; not before", async () => {
    const overrides: Record<string, unknown> = {};
    const chain = { ...moving(), overrides };
    const seen: Waiting[] = [];
    await waitOn("zkml", chain, "settled", (waiting) => {
      seen.push(waiting);
      if (seen.length === 1) overrides.eth_blockNumber = null;
      else {
        delete overrides.eth_blockNumber;
        Object.assign(chain.contracts, { isSettled: () => [true], digestOf });
      }
    });
    expect(seen[1]?.detail).toMatch(/looked in vain: an RPC answers no number/);
    expect(seen[1]?.asOf).toBe(null);
    const silent = await serve([], (request) => void request.socket.destroy());
    endpoints.push(silent);
    const waiting = wait(textOf("zkml"), "settled", { pins, rpcs: [silent.url] });
    await expect(waiting).rejects.toMatchObject({ code: "chain.unreachable" });
  });

  it("ends with its signal's reason, also between two looks", async () => {
    const rpcs = [await start()];
    // Within what is told, and after it, when the pause has begun.
    for (const later of [(end: () => void) => end(), setImmediate]) {
      const controller = new AbortController();
      const waiting = wait(textOf("zkml"), "settled", {
        ...{ pins, rpcs, pollMs: 2 ** 30, signal: controller.signal },
        onProgress: () => void later(() => controller.abort(new Error("enough"))),
      });
      await expect(waiting).rejects.toThrow("enough");
    }
    const ended = wait(textOf("zkml"), "settled", { pins, rpcs, signal: AbortSignal.abort() });
    await expect(ended).rejects.toMatchObject({ name: "AbortError" });
  });

  it.each<[string, string, string, Contracts]>([
    [
      "another result's settlement",
      "wait.otherResult",
      "zkml",
      {
        isSettled: () => [true],
        digestOf: () => [`0x${"12".repeat(32)}`],
      },
    ],
    [
      "a page that was rejected",
      "wait.pageRejected",
      "zkmlInPage",
      {
        verifyInclusion: () => [3, 0, 0],
      },
    ],
    [
      "a page that was disproved",
      "wait.pageDisproved",
      "zkmlInPage",
      {
        verifyInclusion: () => [4, 0, 0],
      },
    ],
    [
      "a model of which nothing is proved",
      "wait.vanilla",
      "vanilla",
      {
        settlementData: () => [1, `0x${"00".repeat(20)}`, 0, 0, 0],
      },
    ],
    [
      "a version that nobody knows",
      "wait.version",
      "zkml",
      {
        settlementData: () => [0, `0x${"00".repeat(20)}`, 0, 0, 0],
      },
    ],
    [
      "a version that was deprecated before",
      "wait.version",
      "zkml",
      {
        settlementData: () => [2, REGISTRY, 2, 1, NOW - 60n],
      },
    ],
    ["a window that is over", "wait.expired", "zkml", { settlementWindow: () => [59] }],
  ])("refuses what can never come: %s", async (_, code, name, contracts) => {
    await expect(waitOn(name, moving(contracts))).rejects.toMatchObject({ code });
  });

  it("waits on where a window is over and a page holds the request", async () => {
    const chain = moving({ settlementWindow: () => [59], occupied: () => [(1n << 256n) - 1n] });
    const seen: string[] = [];
    await waitOn("zkml", chain, "settled", ({ detail }) => {
      seen.push(detail);
      Object.assign(chain.contracts, { isSettled: () => [true], digestOf });
    });
    expect(seen).toEqual([expect.stringMatching(/a page holds the request/)]);
  });

  it("asks no chain for what is unsound, not pinned or no receipt", async () => {
    const rpcs = [await start()];
    const zkml = receiptOf("zkml");
    const changed = { ...zkml.core, message: { ...zkml.core.message, price: "8" } };
    const options = { pins, rpcs };
    await expect(wait({ ...zkml, core: changed }, "final", options)).rejects.toMatchObject({
      ...{ code: "wait.refuted", details: { check: "signature" } },
    });
    await expect(wait(zkml, "final", { pins: {}, rpcs })).rejects.toMatchObject({
      code: "wait.notPinned",
    });
    await expect(wait("{}", "final", options)).rejects.toMatchObject({ code: "format.malformed" });
    await expect(wait(zkml, "soon" as Goal, options)).rejects.toThrow("until: must be settled or");
    await expect(wait(zkml, "final", { ...options, pollMs: 0 })).rejects.toThrow("pollMs: must");
    await expect(wait(zkml, "final", { ...options, pollMs: 2 ** 31 })).rejects.toThrow("pollMs: ");
    expect(endpoints[0]?.calls).toEqual([]);
    await expect(wait(zkml, "final", { pins, rpcs: [] })).rejects.toThrow("no RPC was given");
  });
});

describe("haca wait", () => {
  let folder = "";
  const pinsFile = () => join(folder, "pins.json");
  const receiptFile = () => join(folder, "receipt.json");
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "haca-wait-"));
    writeFileSync(pinsFile(), JSON.stringify(VECTORS.pins));
    writeFileSync(receiptFile(), textOf("zkml"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const args = (rpc: string, ...more: string[]) => [
    ...[COMMAND, "wait", receiptFile(), "--pins", pinsFile(), "--rpc", rpc, ...more],
  ];
  const haca = (given: readonly string[]) =>
    new Promise<{ status: unknown; out: string; err: string }>((resolve) => {
      execFile(process.execPath, given, (error, out, err) =>
        resolve({ status: error === null ? 0 : error.code, out, err }),
      );
    });

  it("ends with 0 when it came, 1 where it can never come, 2 for a wrong argument", async () => {
    const settled = await start(moving({ isSettled: () => [true], digestOf }));
    const expired = await start(moving({ settlementWindow: () => [59] }));
    const [came, json, never, neverJson, wrong] = await Promise.all([
      haca(args(settled)),
      haca(args(settled, "--json")),
      haca(args(expired)),
      haca(args(expired, "--json")),
      haca(args(settled, "--until", "soon")),
    ]);
    expect([came.status, came.err]).toEqual([0, ""]);
    expect(came.out).toMatch(/^receipt 0x[0-9a-f]{64}\nasserted {2}settled \(trusts 1 RPC, block/);
    expect(came.out).toMatch(/\nfinal\n$/);
    const id = receiptId(receiptOf("zkml").core);
    expect(JSON.parse(json.out)).toMatchObject({ id, until: "final", isReached: true });
    expect([never.status, never.out]).toEqual([1, ""]);
    expect(never.err).toMatch(/^nothing to wait for: it could be settled until \d+, in unix/);
    expect([neverJson.status, neverJson.err]).toEqual([1, ""]);
    expect(JSON.parse(neverJson.out)).toMatchObject({ isReached: false, code: "wait.expired" });
    expect([wrong.status, wrong.err]).toEqual([2, "--until: must be settled or final, got soon\n"]);
  });

  it("says after two seconds for what it waits, and ends cleanly by Ctrl-C", async () => {
    const child = spawn(process.execPath, args(await start(), "--poll", "1"));
    let err = "";
    const ended = new Promise((resolve) => child.on("exit", (...how) => resolve(how)));
    child.stderr.on("data", (chunk: Buffer) => {
      if (err === "") child.kill("SIGINT");
      err += chunk;
    });
    expect(await ended).toEqual([130, null]);
    const [waiting, stopped] = err.split("\n");
    expect(waiting).toMatch(/^waiting for settlement: nobody has settled it yet/);
    expect(stopped).toBe("stopped; nothing is lost: the same command goes on waiting");
  });
});
