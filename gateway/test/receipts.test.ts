import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { makeSigningKeys, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { createHacaProvider } from "@haca/sdk/ai";
import { createHaca } from "@haca/sdk/client/createHaca";
import { isVerified } from "@haca/sdk/isVerified";
import { ChatHaca } from "@haca/sdk/langchain";
import type { Pins } from "@haca/sdk/pins";
import type { Receipt } from "@haca/sdk/receipt/receipt";
import { receiptOfAnswer } from "@haca/sdk/receipt/receiptOfAnswer";
import { serialiseReceipt } from "@haca/sdk/receipt/serialiseReceipt";
import { verify } from "@haca/sdk/verify";
import { generateText } from "ai";
import { concat, id, keccak256, sha256 } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ANSWER, DONE, ends, frame, says, streaming } from "./support/bed.ts";
import { ask, Command } from "./support/command.ts";

const HACA = fileURLToPath(new URL("../../sdk/src/cli/cli.ts", import.meta.url));
const QUESTION = {
  ...{ temperature: 0.7, model: "m", max_tokens: 1e2 },
  messages: [{ role: "user", content: "Grüße 😀" }],
};

const TOOL_CALLS = [
  { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "{}" } },
];

let command: Command;
let running: RunningEnclave;
let key: string;
let pins: Pins;
beforeAll(async () => {
  command = await Command.prepare();
  const now = BigInt(Math.floor(Date.now() / 1000));
  const chain = makeSimulatedChain({ now });
  const keys = makeSigningKeys("p256");
  const enclave = new SimulatedEnclave({
    ...{ chain, measurements: measurementsOf("image"), kind: "p256", now, keys },
  });
  running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
  key = join(command.folder, "own.pem");
  writeFileSync(key, keys.privateKey.export({ type: "pkcs8", format: "pem" }));
  pins = {
    settlements: [{ chainId: "31337", settlement: `0x${"11".repeat(20)}` }],
    images: [keccak256(concat(enclave.measurements))],
    attestationRoot: sha256(chain.root),
    models: { m: { version: id("version") } },
  };
});
afterAll(async () => {
  await running.close();
  await command.stop();
});

/** What a client has of one answer of a gateway in a process of its own, by HTTP alone. */
async function answered(changes: Record<string, string>) {
  const { url } = await command.start({
    ...{ HACA_GATEWAY_ATTESTED_KEY: key, HACA_GATEWAY_ENCLAVE: running.publicUrl },
    ...changes,
  });
  const nonce = randomBytes(20).toString("hex");
  const answer = await (await ask(url, QUESTION)).json();
  const signingKey = await (await fetch(`${url}/signing-key`)).json();
  const document = await (await fetch(`${url}/enclave/attestation?nonce=${nonce}`)).text();
  return { request: QUESTION, answer, signingKey, document: Buffer.from(document, "base64") };
}

it("is sealed for who asks obliviously, by the SDK and by its command, as a stream too, and verified", async () => {
  const { url } = await command.start({
    ...{ HACA_GATEWAY_ATTESTED_KEY: key, HACA_GATEWAY_ENCLAVE: running.publicUrl },
    HACA_GATEWAY_SESSION_KEY: "",
  });
  const haca = createHaca({ chainId: 31_337n, pins, nodes: [url], channel: "oblivious" });
  const question = { model: "m", messages: QUESTION.messages };
  const reply = await haca.chat(question);
  const answer = ANSWER.choices[0]?.message.content;
  expect([reply.text, reply.verification]).toEqual([answer, "verified"]);
  command.upstream.handler = streaming(says("Hello, "), says("wörld"), ends(), DONE);
  const stream = haca.streamChat({ ...question, release: "channel" });
  const texts: unknown[] = [];
  for await (const { choices } of stream) texts.push(choices[0]?.delta);
  expect(texts.slice(0, 2)).toMatchObject([{ content: "Hello, " }, { content: "wörld" }]);
  command.reset();

  const file = join(command.folder, "pins.json");
  writeFileSync(file, JSON.stringify(pins));
  const args = ["chat", "hi", "--model", "m", "--node", url, "--pins", file, "--oblivious"];
  const child = spawn(process.execPath, [HACA, ...args]);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect([out, err]).toEqual([`${answer}\n`, expect.stringMatching(/^verified: 127\.0\.0\.1/)]);
  command.reset();
});

describe("an answer of a gateway", () => {
  it("becomes a receipt that is verified under pins, and no other answer does", async () => {
    const parts = await answered({ HACA_GATEWAY_SESSION_KEY: "" });
    const receipt = serialiseReceipt(receiptOfAnswer(parts));
    const lines = await verify(receipt, { pins });
    expect(lines.filter(({ status }) => status === "refuted")).toEqual([]);
    expect(isVerified(lines)).toBe(true);
    const request = { ...QUESTION, temperature: 0.8 };
    const changed = Object.assign({}, parts.answer, { choices: [] });
    for (const other of [
      { ...parts, request },
      { ...parts, answer: changed },
    ]) {
      expect(isVerified(await verify(receiptOfAnswer(other), { pins }))).toBe(false);
    }
    for (const [part, message] of [
      [{ answer: { choices: [] } }, "answer.haca: must be an object"],
      [{ signingKey: null }, "signingKey: must be an object"],
      [{ signingKey: { public_key: "x", session_key: null } }, "signingKey.public_key: must be"],
    ] as const) {
      expect(() => receiptOfAnswer({ ...parts, ...part })).toThrow(message);
    }
  });

  it("is what the SDK asks for, and agents by its adapters: whole, and as a stream", async () => {
    const { url } = await command.start({
      ...{ HACA_GATEWAY_ATTESTED_KEY: key, HACA_GATEWAY_ENCLAVE: running.publicUrl },
      HACA_GATEWAY_SESSION_KEY: "",
    });
    const { messages, model, ...parameters } = QUESTION;
    const haca = createHaca({ chainId: 31_337, pins, nodes: [url] });
    const reply = await haca.chat({ model, messages, parameters });
    expect([reply.text, reply.verification]).toEqual(["Hello, wörld", "verified"]);
    const agent = await generateText({ model: createHacaProvider({ haca })("m"), prompt: "?" });
    const chain = await new ChatHaca({ haca, model: "m" }).invoke("?");
    expect([agent.text, chain.text]).toEqual(["Hello, wörld", "Hello, wörld"]);
    for (const { haca: note } of [agent.providerMetadata ?? {}, chain.response_metadata]) {
      expect(isVerified(await verify((note as { receipt: Receipt }).receipt, { pins }))).toBe(true);
    }

    command.upstream.handler = streaming(
      frame([
        { index: 0, delta: { role: "assistant", content: "Hello, " }, finish_reason: null },
        { index: 1, delta: {}, finish_reason: "length" },
      ]),
      says("wörld"),
      frame([{ index: 0, delta: { tool_calls: TOOL_CALLS }, finish_reason: null }]),
      ends("tool_calls"),
      frame([], { usage: ANSWER.usage }),
      DONE,
    );
    const frames: unknown[] = [];
    for await (const one of haca.streamChat({ model, messages })) frames.push(one);
    command.reset();
    expect(frames).toMatchObject([
      { choices: [{ index: 0, delta: { content: "Hello, wörld", tool_calls: TOOL_CALLS } }] },
      { choices: [{ index: 1, delta: { content: "" } }] },
      {
        choices: [
          { index: 0, finish_reason: "tool_calls" },
          { index: 1, finish_reason: "length" },
        ],
        usage: ANSWER.usage,
      },
    ]);
  });

  it("of a session's key waits for a chain that says the key was certified", async () => {
    const lines = await verify(receiptOfAnswer(await answered({})), { pins });
    expect(lines.find(({ check }) => check === "signature")?.status).toBe("asserted");
    expect(lines.find(({ check }) => check === "session")?.status).toBe("unknown");
    expect(isVerified(lines)).toBe(false);
  });
});
