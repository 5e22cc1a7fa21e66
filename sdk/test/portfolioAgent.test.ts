import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { packWords } from "@haca/protocol/packedWords";
import { afterAll, describe, expect, it } from "vitest";
import { dailyReturns } from "../../examples/portfolio-agent/dailyReturns.ts";
import { type Decision, runAgent } from "../../examples/portfolio-agent/runAgent.ts";
import { readSettings } from "../../examples/portfolio-agent/settings.ts";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { isVerified } from "../src/isVerified.ts";
import type { Pins } from "../src/pins.ts";
import { verify } from "../src/verify.ts";
import { HONEST } from "./support/chains.ts";
import { type Lies as ChatLies, ChatNode, PINS } from "./support/chatNode.ts";
import { type Contracts, type Endpoint, serveChain } from "./support/fakeChain.ts";
import {
  INPUT_LAYOUT,
  type Lies as InferLies,
  type InferNode,
  OUTPUT_LAYOUT,
  PINNED_MODEL,
  serveInferNode,
  WITH_MODEL,
} from "./support/inferNode.ts";
import { tradingDaysUntil } from "./support/tradingDays.ts";

const COMMAND = fileURLToPath(new URL("../../examples/portfolio-agent/cli.ts", import.meta.url));
const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);
const READER = `0x${"fe".repeat(20)}`;

/** Cents of a day each, the latest first; their returns are 20, -30, 20 and -10 basis points. */
const CLOSES = [10_000, 10_010, 9_990, 10_020, 10_000];
const TIMES = tradingDaysUntil(NOW, CLOSES.length);
const roundOf = (round: number, age = 0) => {
  const back = CLOSES.length - round;
  const time = (TIMES[back] ?? 0) - age;
  return [round, CLOSES[back], time, time, round];
};
const contractsOf = (age: number): Contracts => ({
  ...WITH_MODEL,
  // both models are published
  settlementData: (version) =>
    (version === PINNED_MODEL.version ? WITH_MODEL : HONEST).settlementData?.(version) ?? [],
  decimals: () => [2],
  latestRoundData: () => roundOf(CLOSES.length, age),
  getRoundData: (round) => roundOf(Number(round), age),
});

/** What the model says to these returns: a volatility of so many basis points. */
const forecasting = (basisPoints: number): InferLies["job"] => ({
  inputWords: packWords({ layouts: [INPUT_LAYOUT], integers: [40n, -60n, 40n, -20n] }),
  outputWords: packWords({
    ...{ layouts: OUTPUT_LAYOUT, integers: [BigInt(basisPoints * 16), 0n, 0n, 0n] },
  }),
});

const pins: Pins = { ...PINS, models: { ...PINS.models, four: PINNED_MODEL } };
const review = (answer: object) => () => ({
  ...{ finish_reason: "stop" },
  message: { role: "assistant", content: JSON.stringify(answer) },
});
const APPROVED = { approve: true, reason: "within the mandate" };

const open: { close: () => void }[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const { close } of open) close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type World = {
  forecaster?: InferLies;
  language?: ChatLies;
  says?: ChatNode["says"];
  /** seconds of the feed's latest answer */
  age?: number;
  settings?: object;
};

/** Chain, nodes and settings of an agent that holds a fifth and may move by 20 basis points a day. */
async function worldOf(world: World) {
  const { age = 0, forecaster = {}, language = {}, says = review(APPROVED), settings } = world;
  const chain: Endpoint = await serveChain({ time: BigInt(NOW), contracts: contractsOf(age) });
  const model: InferNode = await serveInferNode({
    ...forecaster,
    job: { ...forecasting(50), ...forecaster.job },
  });
  const chat = await ChatNode.start();
  Object.assign(chat, { lies: language, says });
  open.push(chain, model, { close: () => chat.stop() });
  const folder = mkdtempSync(join(tmpdir(), "haca-agent-"));
  folders.push(folder);
  writeFileSync(join(folder, "pins.json"), JSON.stringify(pins));
  const path = join(folder, "settings.json");
  const written = {
    ...{ chainId: "31337", rpcs: [chain.url], pins: "pins.json", receipts: "receipts" },
    feed: { reader: READER, maxAge: 2 * DAY, rounds: 20 },
    forecaster: { model: "four", nodes: [model.url], days: 4, returnLimit: 60 },
    language: { model: "m", nodes: [chat.url] },
    portfolio: { mandate: "No leverage.", held: 0.2, targetVolatility: 20 },
    ...settings,
  };
  writeFileSync(path, JSON.stringify(written));
  const receipts = join(folder, "receipts");
  const kept = (): string[] => (existsSync(receipts) ? readdirSync(receipts) : []);
  return { chat, kept, model, path, receipts };
}

async function ended(child: ChildProcess): Promise<{ status: number; out: string; err: string }> {
  const status = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
  const [out, err] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream === null ? "" : text(stream))),
  );
  return { status: await status, out: out ?? "", err: err ?? "" };
}
const run = async (path: string) => await ended(spawn(process.execPath, [COMMAND, path]));

describe.concurrent("the portfolio agent, as a process", () => {
  it("says what it would do, and keeps every receipt", async () => {
    const { chat, kept, model, path, receipts } = await worldOf({});
    const { err, out, status } = await run(path);
    expect([status, out], err).toEqual([0, "would buy 20.0 %: within the mandate\n"]);
    expect(model.asked[0]).toMatchObject({ input: [20, -30, 20, -10] });
    const proposal = JSON.parse(JSON.parse(chat.asked[0]?.body ?? "").messages[1].content);
    expect(proposal).toEqual({
      ...{ price: 100, forecast: 50, targetVolatility: 20, held: 0.2, wanted: 0.4 },
    });
    const [line = ""] = readFileSync(join(receipts, "decisions.jsonl"), "utf8").split("\n");
    const decision: Decision = JSON.parse(line);
    expect(decision).toMatchObject({ action: "buy", price: 100, round: "5", forecast: 50 });
    expect(kept().sort()).toEqual(
      [...decision.receipts.map((id) => `${id}.json`), "decisions.jsonl"].sort(),
    );
    for (const [index, id] of decision.receipts.entries()) {
      const bytes = readFileSync(join(receipts, `${id}.json`));
      const lines = await verify(bytes, { pins, model: ["four", "m"][index] ?? "" });
      expect(isVerified(lines)).toBe(true);
    }
  });

  it.each<[string, World, RegExp, number]>([
    [
      "a forecaster that shows another forecast than it signed",
      { forecaster: { receipt: { outputWords: ["5"] } } },
      /is not verified, for: output \(/,
      0,
    ],
    [
      "a language model's node that signs for another model",
      { language: { signed: (message) => ({ ...message, modelVersion: READER.padEnd(66, "0") }) } },
      /is not verified, for: model \(/,
      1,
    ],
    ["a price that is old", { age: 3 * DAY }, /latest answer is \d+ seconds old, more than/, 0],
  ])("refuses %s", async (_, world, reason, count) => {
    const { kept, path } = await worldOf(world);
    const { err, out, status } = await run(path);
    expect([status, out]).toEqual([1, ""]);
    const last = err.trim().split("\n").at(-1);
    expect(last).toMatch(/^refuses to act: /);
    expect(last).toMatch(reason);
    expect(kept()).toHaveLength(count);
  });

  it("names what is wrong with its settings, and asks nobody", async () => {
    const { model, path } = await worldOf({ settings: { rpcs: ["127.0.0.1"] } });
    const { err, out, status } = await run(path);
    expect([status, out, model.asked]).toEqual([2, "", []]);
    expect(err).toMatch(/^\/.*settings\.json: rpcs\.0: .*\n$/);
  });
});

describe.concurrent("the portfolio agent", () => {
  const decide = async (world: World): Promise<Decision> =>
    await runAgent(readSettings((await worldOf(world)).path), () => undefined);

  it.each<[string, World, RegExp]>([
    ["the proof of another model", { forecaster: { hasOtherKey: true } }, /for: proof \(/],
    ["an answer to other returns", { forecaster: { job: { inputWords: [5n] } } }, /another input/],
    ["a forecast that is none", { forecaster: { job: forecasting(0) ?? {} } }, /no volatility: 0/],
    [
      "a review that was changed on the way",
      { language: { answer: (answer) => ({ ...answer, model: "another" }) } },
      /for: output/,
    ],
    ["a review that is none", { says: review({ approve: "yes" }) }, /not the JSON/],
    [
      "a review that moves the cursor",
      { says: review({ ...APPROVED, reason: "\u001b[2J" }) },
      /not the JSON/,
    ],
    [
      "a feed that began yesterday",
      { settings: { feed: { reader: READER, maxAge: DAY, rounds: 2 } } },
      /2 rounds are of 2 days, and 4 returns need 5/,
    ],
  ])("relies on nothing where there is %s", async (_, world, reason) => {
    await expect(decide(world)).rejects.toThrow(reason);
  });

  it("wants the forecaster's key pinned, so that its receipts stand alone", async () => {
    const { path } = await worldOf({});
    const { verifyingKeyHash: _, inputWords: __, ...unproved } = PINNED_MODEL;
    const file = join(path, "../pins.json");
    writeFileSync(file, JSON.stringify({ ...pins, models: { ...pins.models, four: unproved } }));
    expect(() => readSettings(path)).toThrow(/pins\.json: models\.four: .* verifyingKeyHash/);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      "whose core was changed",
      (text) => text.replace('"price":"0"', '"price":"1"'),
      /^receipt 0x\w+ is another one in the folder$/,
    ],
    [
      "whose proof was changed",
      (text) =>
        text.replace(/"proof":"(0x[0-9a-f]+)"/, (_, proof) => `"proof":"${withOtherEnd(proof)}"`),
      /^receipt 0x\w+ is not verified, for: proof/,
    ],
  ])("relies on no receipt in the folder %s", async (_, change, reason) => {
    const { path, receipts } = await worldOf({});
    const tamper = (line: string): void => {
      const [, id] = /^forecast .* receipt (0x\w+)$/.exec(line) ?? [];
      if (id === undefined) return;
      const file = join(receipts, `${id}.json`);
      const text = readFileSync(file, "utf8");
      expect(change(text)).not.toBe(text);
      writeFileSync(file, change(text));
    };
    await expect(runAgent(readSettings(path), tamper)).rejects.toThrow(reason);
  });

  it("holds where the review says no, and where there is little to change", async () => {
    const reason = "oil is not in the mandate";
    const [vetoed, small, less] = await Promise.all([
      decide({ says: review({ approve: false, reason }) }),
      decide({ forecaster: { job: forecasting(90) ?? {} } }),
      decide({ forecaster: { job: forecasting(200) ?? {} } }),
    ]);
    expect(vetoed).toMatchObject({ action: "hold", share: 0, reason });
    expect(small).toMatchObject({ action: "hold", share: 0, reason: "the change is too small" });
    expect(less).toMatchObject({ action: "sell", share: 0.1, reason: APPROVED.reason });
  });
});

describe("daily returns", () => {
  /** 7 October 2024 */
  const MONDAY = 20_003 * DAY;
  const at = (day: number, second: number, answer: bigint) => ({
    ...{ round: 1n, answer, updatedAt: BigInt(MONDAY + day * DAY + second) },
  });

  it("are of the last round of each day of UTC, limited", () => {
    const rounds = [
      ...[at(9, 50, 9_000n), at(9, 0, 1n), at(8, DAY - 1, 10_000n), at(8, 0, 2n)],
      at(3, 7, 10_000n),
    ];
    expect(dailyReturns({ rounds, days: 2, limit: 2_000 })).toEqual([0, -1_054]);
    expect(dailyReturns({ rounds, days: 2, limit: 1_000 })).toEqual([0, -1_000]);
    expect(() => dailyReturns({ rounds, days: 3, limit: 1 })).toThrow(/of 3 days, and 3 returns/);
  });

  it("are of trading days: what comes on a weekend is Friday's", () => {
    const friday = [at(4, 9, 10_000n), at(3, 9, 9_900n)];
    const weekend = [at(6, 9, 10_000n), at(5, 9, 10_000n)];
    const monday = [at(7, 9, 10_100n)];
    const of = (rounds: typeof friday, days: number) => dailyReturns({ rounds, days, limit: 500 });
    expect(of([...monday, ...weekend, ...friday], 2)).toEqual([101, 100]);
    expect(of([...weekend, ...friday], 1)).toEqual([101]);
    expect(() => of([...weekend, ...friday], 2)).toThrow(/4 rounds are of 2 days/);
  });

  it("are of prices", () => {
    const rounds = [at(9, 50, 9_000n), at(8, 0, 0n)];
    expect(() => dailyReturns({ rounds, days: 1, limit: 1 })).toThrow(/round 1 .* no price: 0/);
  });
});
