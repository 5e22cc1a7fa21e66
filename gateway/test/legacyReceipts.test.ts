import { generateKeyPairSync } from "node:crypto";
import { isVerified } from "@haca/sdk/isVerified";
import type { LegacyReceipt } from "@haca/sdk/legacy/legacyReceipt";
import { receiptOfLegacyAnswer } from "@haca/sdk/legacy/receiptOfLegacyAnswer";
import type { Line } from "@haca/sdk/line";
import { verify } from "@haca/sdk/verify";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HONEST } from "../../sdk/test/support/chains.ts";
import { type Endpoint, serveChain } from "../../sdk/test/support/fakeChain.ts";
import { openResultSigner } from "../src/profile/resultSigner.ts";
import { ANSWER, answering, Bed } from "./support/bed.ts";
import { HttpServer } from "./support/httpServer.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SIGNER = openResultSigner({
  attestedKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});
const signingKey = {
  public_key: publicKey.export({ type: "spki", format: "pem" }).toString(),
  session_key: null,
};
const REQUEST =
  '{"model":"m","messages":[{"role":"user","content":"é"}],"max_tokens":1e2,"temperature":1,"seed":7}';
const PINS = { settlements: [{ chainId: "31337", settlement: `0x${"5e".repeat(20)}` }] };
const CALL = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };

let facilitator: HttpServer;
let bed: Bed;
let chain: Endpoint;
beforeAll(async () => {
  facilitator = await HttpServer.start(answering({ settlementJob: {} }, 202));
  const settings = { url: facilitator.url, withinMs: 20_000 };
  bed = await Bed.start({ signer: SIGNER, facilitator: settings });
  chain = await serveChain({ time: BigInt(Math.floor(Date.now() / 1000)), contracts: HONEST });
});
beforeEach(() => bed.reset());
afterAll(async () => {
  await bed.stop();
  await facilitator.stop();
  chain.close();
});

async function answerTo(request: string, path?: "completions"): Promise<string> {
  const headers = { "x-settlement-type": "batch" };
  const response = await bed.post(request, { headers, ...(path === undefined ? {} : { path }) });
  expect(response.status).toBe(200);
  return await response.text();
}

const byRegistry = (receipt: LegacyReceipt, pins: object = PINS, rpcs = [chain.url]) =>
  verify(receipt, { pins, rpcs });
const takes = (lines: readonly Line[]) =>
  isVerified(lines, { legacy: true, attestation: "registry" });
const detailOf = (lines: readonly Line[], check: string): string | undefined =>
  lines.find((line) => line.check === check)?.detail;

describe("an answer of a gateway in the profile legacy", () => {
  it("becomes a receipt that is verified by the registry, for who takes the profile", async () => {
    const parts = { request: REQUEST, answer: await answerTo(REQUEST), signingKey };
    const receipt = receiptOfLegacyAnswer(parts);
    const lines = await byRegistry(receipt);
    expect(takes(lines)).toBe(true);
    expect(isVerified(lines, { attestation: "registry" })).toBe(false);
    // No document is in it.
    expect(isVerified(lines, { legacy: true })).toBe(false);
    expect(receipt.core.output).toEqual({ type: "text", text: "Hello, wörld" });
    // What is not signed may be another one; what is may not.
    for (const [changed, expected] of [
      [REQUEST.replace('"seed":7', '"seed":8'), true],
      [REQUEST.replace("1e2", "100.0"), true],
      [REQUEST.replace("1e2", "100"), false],
      [REQUEST.replace("é", "e"), false],
    ] as const) {
      const other = receiptOfLegacyAnswer({ ...parts, request: changed });
      expect(takes(await byRegistry(other)), changed).toBe(expected);
    }
  });

  it("is of tool calls, and of the other interface, too", async () => {
    const message = { role: "assistant", content: "w", tool_calls: [CALL] };
    const choices = [{ index: 0, message, finish_reason: "tool_calls" }];
    bed.upstream.handler = answering({ ...ANSWER, choices });
    const calls = { request: REQUEST, answer: await answerTo(REQUEST), signingKey };
    expect(takes(await byRegistry(receiptOfLegacyAnswer(calls)))).toBe(true);
    const texts = [{ index: 0, text: "a", finish_reason: "stop" }];
    bed.upstream.handler = answering({ object: "text_completion", model: "x", choices: texts });
    const request = '{"model":"m","prompt":"p","temperature":0}';
    const answer = await answerTo(request, "completions");
    const whole = { request, answer, signingKey };
    expect(takes(await byRegistry(receiptOfLegacyAnswer({ ...whole, kind: "completion" })))).toBe(
      true,
    );
    expect(() => receiptOfLegacyAnswer(whole)).toThrow("messages: is no list");
  });

  it("is asked about at the one chain that is pinned, and at none where there are several", async () => {
    const answer = await answerTo(REQUEST);
    const receipt = receiptOfLegacyAnswer({ request: REQUEST, answer, signingKey });
    const [one] = PINS.settlements;
    for (const [pins, reason] of [
      [{}, "no settlement is pinned whose registry could be asked"],
      [
        { settlements: [one, { chainId: "1", settlement: one?.settlement }] },
        "several settlements are pinned, and the receipt names none",
      ],
    ] as const) {
      const lines = await byRegistry(receipt, pins);
      expect(detailOf(lines, "validWhenAnswered")).toBe(reason);
      expect(takes(lines)).toBe(false);
    }
    const named = await verify(receipt, { pins: PINS, rpcs: [chain.url], model: "m" });
    expect(takes(named)).toBe(false);
    expect(detailOf(named, "model")).toMatch(/no version of a model, and not m$/);
  });

  it("needs all that is signed, and says what is missing", async () => {
    const answer = await answerTo(REQUEST);
    const without = (change: object) =>
      receiptOfLegacyAnswer({
        ...{ request: REQUEST, signingKey },
        answer: JSON.stringify({ ...JSON.parse(answer), ...change }),
      });
    for (const [change, message] of [
      [{ tee_signature: "%" }, "answer.tee_signature: must be base64"],
      [{ tee_signature: "AAAA" }, "receipt.core.signature: must be 256 to 512 bytes"],
      [{ tee_timestamp: "1" }, "answer.tee_timestamp: must be a whole number"],
      [{ tee_timestamp: 1.5 }, "receipt.core.message.timestamp: must be a text of decimal"],
      [{ tee_id: null }, "answer.tee_id: must be a text"],
      [{ choices: [] }, "answer.choices: must have one choice"],
    ] as const) {
      expect(() => without(change)).toThrow(message);
    }
  });
});
