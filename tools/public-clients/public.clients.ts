import { readFileSync } from "node:fs";
import { blobIdFromLegacyBytes } from "@haca/protocol/blobs/blobId";
import { PERMIT2_ADDRESS } from "@x402/evm";
import { type EventLog, MaxUint256, Wallet } from "ethers";
import { createPublicClient, http } from "viem";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { FEE_BPS } from "../../worker/test/support/escrow.ts";
import { waitFor } from "../../worker/test/support/processes.ts";
import { askPython, CLIENT_KEY, type PythonAnswer, type Step } from "./drivers/askPython.ts";
import { openBatchVerifier, openTypescript, type TypescriptAnswer } from "./drivers/npmClients.ts";
import { Veil } from "./drivers/veil.ts";
import type { Clients } from "./prepareClients.ts";
import {
  ALTERED,
  common,
  DIRECT,
  MODEL,
  messages,
  NAMED,
  SEALED,
  stepsOf,
  TOOLS,
  textIn,
} from "./questions.ts";
import { CLIENTS_FILE } from "./runClients.ts";
import { type Leads, PRICE, PublicStack } from "./stack/publicStack.ts";
import { CALL, COMPLETION, TEXT } from "./stack/upstream.ts";

const clients = JSON.parse(readFileSync(CLIENTS_FILE, "utf8")) as Clients;
const [{ python } = { python: "" }] = clients.pythons;
const { typescript } = clients;

let stack: PublicStack;
/**
 * What was signed of all answers that were to be settled. The same answer to the same question in the same second is the same
 * message, and settled once, under one of its signatures.
 */
const settled: string[] = [];
const messageOf = (input: string, output: string, time: number | string): string =>
  [input, output]
    .map((hash) => hash.replace(/^0x/, ""))
    .join(" ")
    .concat(` ${time}`);

beforeAll(async () => {
  stack = await PublicStack.start([MODEL]);
});
afterAll(async () => {
  await stack?.close();
});

/** Answers by the names of their steps. */
async function askAll<Name extends string>(
  environment: string,
  steps: Record<Name, Step>,
): Promise<Record<Name, PythonAnswer>> {
  const names = Object.keys(steps) as Name[];
  const answers = await askPython({
    ...{ python: environment, stack, steps: names.map((name) => steps[name]) },
  });
  return Object.fromEntries(names.map((name, index) => [name, answers[index]])) as Record<
    Name,
    PythonAnswer
  >;
}

/** That it is genuine, by the SDK's word, and of our node. */
function expectGenuine(answer: PythonAnswer | undefined, expected: object): void {
  expect(answer).toMatchObject({ ...expected, proof: expect.anything() });
  expect(answer?.tee_id.replace(/^0x/, "")).toBe(stack.teeId.slice(2));
  const { input_hash = "", output_hash = "" } = answer?.proof ?? {};
  settled.push(messageOf(input_hash, output_hash, answer?.timestamp ?? 0));
}

const TOOL_ANSWER = { calls: [CALL], reason: "tool_calls" };
const ALL_USED = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

describe.each(clients.pythons)("the Python SDK $version", ({ python: environment }) => {
  it("finds our node in our registry, asks it over its pinned TLS, and takes all that it answers as signed", async () => {
    const answers = await askAll(environment, DIRECT);
    const { endpoint } = answers.chat ?? {};
    expect(endpoint).toBe(stack.door.url);
    const text = { text: TEXT, reason: "stop", usage: ALL_USED };
    expectGenuine(answers.chat, text);
    expectGenuine(answers.stream, text);
    expectGenuine(answers.options, text);
    expectGenuine(answers.tools, TOOL_ANSWER);
    expectGenuine(answers.toolsStream, TOOL_ANSWER);
    expectGenuine(answers.completion, { text: COMPLETION });
  });

  it("asks through a relay that reads nothing, and verifies before it gives an answer on", async () => {
    const answers = await askAll(environment, SEALED);
    expectGenuine(answers.chat, { text: TEXT, reason: "stop", usage: ALL_USED });
    expectGenuine(answers.stream, { text: TEXT, reason: "stop" });
    expect(answers.stream?.frames).toBeGreaterThan(3);
    expectGenuine(answers.tools, TOOL_ANSWER);
    expectGenuine(answers.toolsStream, { reason: "tool_calls" });
    expect(new Set(stack.relay.teeIds)).toEqual(new Set([stack.teeId.slice(2)]));
  });
});

describe("the proxy of the public network", () => {
  const body = { model: MODEL, messages };

  it("gives on our node's answers, verified, to agents that know nothing of it", async () => {
    const veil = await startVeil();
    const plain = await veil.ask(body);
    const answer = (await plain.json()) as {
      opengradient_verification: { request_hash: string; output_hash: string; timestamp: number };
    };
    expect(answer).toMatchObject({
      choices: [{ message: { content: TEXT } }],
      opengradient_verification: { verified: true, tee_host: stack.door.url },
    });
    const { output_hash, request_hash, timestamp } = answer.opengradient_verification;
    settled.push(messageOf(request_hash, output_hash, timestamp));
    const stream = await veil.ask({ ...body, stream: true });
    expect(stream.headers.get("x-opengradient-verified")).toBe("true");
    const events = (await stream.text()).split("\n\n").filter((event) => event !== "");
    expect(events.at(-1)).toBe("data: [DONE]");
    expect(textIn(events.slice(0, -1))).toBe(TEXT);
  });

  it("does not begin where no node has the image that it was told to expect", async () => {
    const { pcrHash } = await stack.tee.registry.getTEE(stack.teeId);
    const veil = await Veil.start({ python, stack, expectedPcr: withOtherEnd(pcrHash) });
    onTestFinished(() => veil.stop());
    await veil.child.exited;
    expect(veil.child.lines.join("\n")).toContain("no registry gateway matches the pinned PCR");
  });
});

async function startVeil(): Promise<Veil> {
  const { pcrHash } = await stack.tee.registry.getTEE(stack.teeId);
  const veil = await Veil.start({ python, stack, expectedPcr: pcrHash });
  onTestFinished(() => veil.stop());
  await veil.listening();
  return veil;
}

const noTypescript = typeof typescript === "string" ? "" : typescript.missing;
describe.skipIf(noTypescript !== "")(`the TypeScript SDK 2.1.1 ${noTypescript}`, () => {
  const open = () => {
    const client = openTypescript(String(typescript), stack);
    onTestFinished(() => client.close());
    return client.llm;
  };

  it("finds our node and asks it over its pinned TLS; what it answers is genuine by the Python SDK", async () => {
    const llm = open();
    const chat = await llm.chat({ model: NAMED, messages });
    expect(chat).toMatchObject({ chatOutput: { content: TEXT }, usage: ALL_USED });
    expect(chat.teeEndpoint).toBe(stack.door.url);
    const calls = await llm.chat({ model: NAMED, messages, tools: TOOLS });
    expect(calls).toMatchObject({ chatOutput: { tool_calls: [CALL] }, finishReason: "tool_calls" });
    const completion = await llm.completion({ model: NAMED, prompt: "Say ü" });
    expect(completion.completionOutput).toBe(COMPLETION);
    let text = "";
    let last: TypescriptAnswer = {};
    for await (const chunk of llm.chat({ model: NAMED, messages, stream: true as const })) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (chunk.isFinal) last = chunk;
    }
    const answers = await askAll(python, {
      chat: stepOf(chat, { request: common, text: TEXT }),
      stream: stepOf(last, { request: common, text }),
      tools: stepOf(calls, { request: { ...common, tools: TOOLS }, text: "", calls: [CALL] }),
      completion: stepOf(completion, { request: DIRECT.completion?.request, text: COMPLETION }),
    });
    const times = { chat, stream: last, tools: calls, completion };
    for (const [name, answer] of Object.entries(answers)) {
      expect(answer.proof, answer.error).toBeDefined();
      const { input_hash = "", output_hash = "" } = answer.proof ?? {};
      const { teeTimestamp = 0 } = times[name as keyof typeof times];
      settled.push(messageOf(input_hash, output_hash, teeTimestamp));
    }
  });

  it("does not speak to whoever has not the certificate that the registry shows", async () => {
    await led("stranger", async () => {
      const failing = open().chat({ model: NAMED, messages });
      await expect(failing).rejects.toThrow("TEE LLM request failed");
    });
  });

  it("gives on what the holder of that certificate alters, which the Python SDK does not take", async () => {
    await led("altering", async () => {
      const chat = await open().chat({ model: NAMED, messages });
      expect(chat.chatOutput?.content).toBe(ALTERED);
      const { answer } = await askAll(python, {
        answer: stepOf(chat, { request: common, text: ALTERED }),
      });
      expect(answer.error).toBe("VerificationError");
    });
  });
});

const stepOf = (
  { teeId, teeSignature, teeTimestamp }: TypescriptAnswer,
  parts: { request: object | undefined; text: string; calls?: unknown[] },
): Step => ({
  client: "check",
  answer: { ...parts, signature: teeSignature, timestamp: teeTimestamp, tee_id: teeId },
});

/** What a test does while the node's address leads to somebody else. */
async function led(to: Exclude<Leads, "gateway">, test: () => Promise<void>): Promise<void> {
  stack.lead(to);
  try {
    await test();
  } finally {
    stack.lead("gateway");
  }
}

describe.each(clients.pythons)(
  "an answer that is not the enclave's, to the Python SDK $version",
  ({ python: environment }) => {
    const { chat, completion, stream, tools } = DIRECT as Record<string, Step> & typeof DIRECT;
    const asked = { chat, completion, stream, tools } as Record<string, Step>;

    it("is not asked for where somebody else answers at the node's address", async () => {
      await led("stranger", async () => {
        const { chat: refused } = await askAll(environment, { chat: asked.chat as Step });
        expect(refused?.error).toBe("RuntimeError");
        expect(refused?.reason_of_error).toContain("CERTIFICATE_VERIFY_FAILED");
      });
    });

    it("is refused by its verification where one byte is another", async () => {
      await led("altering", async () => {
        const answers = await askAll(environment, asked);
        for (const [name, answer] of Object.entries(answers)) {
          expect(answer.refused, name).toBe("RSA-PSS signature verification failed");
          expect(answer.proof).toBeUndefined();
        }
        expect(answers.chat?.text).toBe(ALTERED);
      });
    });

    it("is refused by the client itself where it comes sealed", async () => {
      await stack.useOhttpKey("altering");
      try {
        await led("altering", async () => {
          const answers = await askAll(environment, SEALED);
          for (const [name, answer] of Object.entries(answers)) {
            expect(answer.error, name).toBe("VerificationError");
            expect(answer.reason_of_error, name).toContain("output hash mismatch");
          }
        });
      } finally {
        await stack.useOhttpKey("gateway");
      }
    });

    it("is not opened where the relay has changed what it cannot read", async () => {
      stack.relay.isAltering = true;
      try {
        const answers = await askAll(environment, SEALED);
        for (const answer of Object.values(answers)) {
          expect(answer.error).toBe("InvalidTag");
        }
      } finally {
        stack.relay.isAltering = false;
      }
    });
  },
);

it("an altered answer does not pass the proxy", async () => {
  await stack.useOhttpKey("altering");
  try {
    await led("altering", async () => {
      const veil = await startVeil();
      for (const stream of [false, true]) {
        const answer = await veil.ask({ model: MODEL, messages, stream });
        expect(answer.status).toBe(502);
        expect(await answer.text()).toContain("output hash mismatch");
      }
    });
  } finally {
    await stack.useOhttpKey("gateway");
  }
});

describe("an answer that costs something", () => {
  const payer = new Wallet(CLIENT_KEY).address;
  const balances = async () => {
    const { tee, token } = stack;
    return { payer: await token.balanceOf(payer), payee: await token.balanceOf(tee.operator) };
  };
  /** Asks by all clients, and returns how often that costs something: the TypeScript SDK asks the same twice. */
  async function askPaying(route: "exact" | "escrow"): Promise<bigint> {
    let count = 0n;
    await led(route, async () => {
      for (const { python: environment, version } of clients.pythons) {
        const answers = await askAll(environment, stepsOf(`${route} ${version}`));
        expectGenuine(answers.chat, { text: TEXT });
        expectGenuine(answers.stream, { text: TEXT });
        expectGenuine(answers.completion, { text: COMPLETION });
        count += 3n;
      }
      if (typeof typescript !== "string") return;
      const client = openTypescript(typescript, stack);
      onTestFinished(() => client.close());
      for (const ask of Array(2).fill(stepsOf(route).chat.ask)) {
        const chat = await client.llm.chat(ask as object);
        expect(chat.chatOutput?.content).toBe(TEXT);
      }
      count += 1n;
    });
    return count;
  }

  it("is not given to who has nothing", async () => {
    await led("exact", async () => {
      const { chat } = await askAll(python, { chat: stepsOf("free").chat });
      expect(chat.error).toBe("RuntimeError");
      expect(chat.reason_of_error).toContain("HTTP 402");
    });
  });

  it("is paid by the SDKs' own wallets (x402, exact), verified by them, and settled as a result", async () => {
    const { tee, token } = stack;
    await (await token.transfer(payer, 10n * PRICE)).wait();
    const before = await balances();
    const count = await askPaying("exact");
    const after = await balances();
    expect(before.payer - after.payer).toBe(count * PRICE);
    expect(after.payee - before.payee).toBe(count * PRICE);
    const counts = await waitFor(async () => {
      const found = await tee.chain.countSettlements();
      return BigInt(found.size) === count ? [...found.values()] : undefined;
    });
    expect(counts).toEqual(counts.map(() => 1));
  });

  it("is held by the escrow for them (x402, upto), and captured once its result is settled", async () => {
    const { tee, token } = stack;
    const wallet = new Wallet(CLIENT_KEY, tee.chain.provider);
    await tee.chain.send("anvil_setBalance", payer, "0xde0b6b3a7640000");
    const approval = token.interface.encodeFunctionData("approve", [PERMIT2_ADDRESS, MaxUint256]);
    const to = String(token.target);
    await (await wallet.sendTransaction({ to, data: approval, gasLimit: 100_000n })).wait();
    await (await token.transfer(payer, 10n * PRICE)).wait();
    const before = await balances();
    const count = await askPaying("escrow");
    expect(before.payer - (await balances()).payer).toBe(count * PRICE);
    const due = (count * PRICE * (10_000n - FEE_BPS)) / 10_000n;
    const paid = await waitFor(async () => {
      const got = (await balances()).payee - before.payee;
      return got >= due ? got : undefined;
    });
    expect(paid).toBe(due);
  });
});

describe("what was answered", () => {
  it("is anchored by the facilitator, and verified by the npm package from blob and chain", async () => {
    expect(settled.length).toBeGreaterThan(20);
    const { settlement } = stack;
    const verifier = openBatchVerifier(clients.npm);
    const verifierContractAddress = String(settlement.target);
    const publicClient = createPublicClient({ transport: http(stack.tee.chain.url) });
    const blobs = await waitFor(async () => {
      const topics = settlement.interface.encodeFilterTopics("BatchSettlement", []);
      const events = (await settlement.queryFilter(topics, 0)) as EventLog[];
      const found = await Promise.all(
        events.map(async ({ args }) => {
          const blobId = blobIdFromLegacyBytes(args.walrusBlobId);
          const tree = await verifier.fetchWalrusBatchTree(blobId, { baseUrl: stack.blobsUrl });
          return { blobId, root: String(args.merkleRoot), tree };
        }),
      );
      const anchored = new Set(
        found.flatMap(({ tree }) =>
          tree.items.map((item) =>
            messageOf(item.input_hash, item.output_hash, item.tee_timestamp),
          ),
        ),
      );
      return settled.every((message) => anchored.has(message)) ? found : undefined;
    });
    for (const { blobId, root, tree } of blobs) {
      expect(tree.merkleRoot).toBe(root);
      const parameters = { blobId, aggregatorUrl: stack.blobsUrl, publicClient };
      const { results } = await verifier.verifyWalrusBatchTreeSignatures({
        ...{ ...parameters, verifierContractAddress },
      });
      expect(results.map(({ verified }) => verified)).toEqual(tree.items.map(() => true));
      for (const item of tree.items) {
        const changed = { ...item, output_hash: withOtherEnd(item.output_hash) };
        const verified = verifier.verifyWalrusBatchTreeItemSignature({
          ...{ item: changed, publicClient, verifierContractAddress },
        });
        expect(await verified).toBe(false);
      }
    }
  });
});
