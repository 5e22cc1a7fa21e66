import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { BaseError } from "@haca/protocol/baseError";
import { Wallet } from "ethers";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openClient } from "../src/cli/openClient.ts";
import { opgOf, type PaymentArguments, payerOf } from "../src/cli/payment.ts";
import { startProxy } from "../src/proxy/startProxy.ts";
import { PINS, TEXT } from "./support/chatNode.ts";
import {
  ESCROW,
  OPERATOR,
  PAYEE,
  PAYMENT_PINS,
  PRICE,
  PUBLIC_ESCROW,
  read,
  SellingNode,
} from "./support/sellingNode.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));
const MOST = opgOf(String(PRICE)).replace(" OPG", "");
const { address, privateKey } = Wallet.createRandom();

let node: SellingNode;
let folder = "";
let asking: readonly string[] = [];
const file = (name: string): string => join(folder, name);
beforeAll(async () => {
  node = await SellingNode.start();
  folder = mkdtempSync(join(tmpdir(), "haca-pay-"));
  writeFileSync(file("pins.json"), JSON.stringify(PINS));
  const contracts = {
    OPG: { address: PAYMENT_PINS.token.address },
    InferenceEscrow: { address: ESCROW },
    InferenceSettlement: { address: PINS.settlements?.[0]?.settlement },
  };
  const deployment = { format: 1, chainId: Number(PAYMENT_PINS.chainId), contracts, models: [] };
  writeFileSync(file("deployment.json"), JSON.stringify(deployment));
  asking = [
    ...["--node", node.url, "--pins", file("pins.json"), "--pay", MOST, "--budget", MOST],
    ...["--deployment", file("deployment.json"), "--payments", file("payments")],
  ];
});
beforeEach(() => {
  node.reset();
  node.sold = { requester: address.toLowerCase(), price: String(PRICE) };
});
afterAll(() => {
  node.stop();
  rmSync(folder, { recursive: true });
});

const start = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, HACA_PAYER_KEY: privateKey, HACA_PROXY_TOKEN: "t".repeat(16) },
  });

async function ended(child: ChildProcess): Promise<{ status: number; out: string; err: string }> {
  const status = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
  const [out = "", err = ""] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream === null ? "" : text(stream))),
  );
  return { status: await status, out, err };
}

describe("haca chat --pay", () => {
  it("killed after it has paid, and again with the same key: the same payment, said before and after", async () => {
    const args = ["chat", "hi", "--model", "m", "--idempotency-key", "k".repeat(16), ...asking];
    const first = start(...args);
    node.paid = () => first.kill("SIGKILL");
    const killed = await ended(first);
    expect(killed.err).toMatch(/^paying 0\.000000000000005 OPG at most for an answer of 127/m);
    node.paid = () => false;
    const { err, out, status } = await ended(start(...args));
    expect([status, out]).toEqual([0, `${TEXT}\n`]);
    expect(err).toMatch(/verified: .*\npaid: 0\.000000000000005 OPG at most, by escrow\n$/);
    const [signed, ...rest] = node.payments.map((header) => JSON.stringify(read(header).payload));
    expect(rest).toEqual([signed]);
    const [name = "", ...others] = readdirSync(file("payments"));
    expect(others).toEqual([]);
    expect(statSync(join(file("payments"), name)).mode & 0o777).toBe(0o600);
  });

  it("says what a node asks for that is not paid, and ends with 1", async () => {
    node.greed = { quote: () => ({ amount: "5001" }), offer: () => ({ amount: "5001" }) };
    const { err, out, status } = await ended(start("chat", "hi", "--model", "m", ...asking));
    expect([status, out, node.payments]).toEqual([1, "", []]);
    expect(err).toMatch(/asks for 5001, and 5000 is the most for a call; nothing was paid\n$/);
  });
});

it("haca proxy --pay pays within its budget, and then tells OpenAI's client that it is spent", async () => {
  const child = start("proxy", "--port", "0", ...asking);
  const end = ended(child);
  const baseURL = await new Promise<string>((resolve) => {
    child.stdout?.once("data", (said) => resolve(/on (\S+)\n$/.exec(String(said))?.[1] ?? ""));
  });
  const openai = new OpenAI({ baseURL, apiKey: "t".repeat(16) });
  const question = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };
  const answer = await openai.chat.completions.create(question);
  expect(answer).toMatchObject({ haca: { payment: { most: String(PRICE), route: "escrow" } } });
  await expect(openai.chat.completions.create(question)).rejects.toMatchObject({
    ...{ status: 402, code: "payment.sessionSpent" },
  });
  child.kill("SIGTERM");
  const { err } = await end;
  expect(
    err.match(/paying .* held by the escrow 0x4{40} until the result is settled/g),
  ).toHaveLength(1);
  expect(node.payments).toHaveLength(1);
});

it("haca proxy --pay tells nobody to ask again where a paid answer's receipt cannot be kept", async () => {
  const { haca } = await openClient(
    { node: [node.url], pins: file("pins.json") },
    await payerOf(
      { pay: MOST, budget: MOST, deployment: file("deployment.json") },
      { env: { HACA_PAYER_KEY: privateKey }, say: () => undefined },
    ),
  );
  const token = "t".repeat(16);
  const onReply = () => {
    throw new BaseError({ code: "haca.receiptNotKept", message: "the receipt cannot be kept" });
  };
  const proxy = await startProxy({ haca, models: ["m"], token, port: 0, onReply });
  const openai = new OpenAI({ baseURL: proxy.url, apiKey: token });
  const question = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };
  await expect(openai.chat.completions.create(question)).rejects.toMatchObject({
    ...{ status: 406, code: "haca.receiptNotKept" },
  });
  await proxy.stop();
  expect(node.payments).toHaveLength(1);
});

it("--route commerce pays by the operators that are named, and says who holds the money", async () => {
  const said: string[] = [];
  const options = {
    ...{ pay: MOST, budget: MOST, deployment: file("deployment.json"), route: ["commerce"] },
    ...{ operator: [OPERATOR], payments: file("commerce") },
  };
  const env = { HACA_PAYER_KEY: privateKey };
  const payer = await payerOf(options, { env, say: (line) => said.push(line) });
  const { haca } = await openClient({ node: [node.url], pins: file("pins.json") }, payer);
  const reply = await haca.chat({ model: "m", messages: [{ role: "user", content: "hi" }] });
  expect(reply.payment).toMatchObject({ route: "commerce", operator: OPERATOR });
  const held = `held by the public escrow ${PUBLIC_ESCROW.toLowerCase()} until the result is settled`;
  expect(said).toEqual([
    expect.stringContaining(`${held}, for ${PAYEE}, by the operator ${OPERATOR}`),
  ]);
  expect(readdirSync(file("commerce"))).toHaveLength(1);
});

describe("arguments of paying", () => {
  const given = (changes: object) =>
    payerOf(
      {
        ...{ pay: "1", budget: "2", deployment: file("deployment.json") },
        ...(changes as PaymentArguments),
      },
      { env: { HACA_PAYER_KEY: privateKey }, say: () => undefined },
    );

  it("are all that is needed; without --pay nobody pays", async () => {
    expect((await given({}))?.chainId).toBe(String(PAYMENT_PINS.chainId));
    expect(await payerOf({}, { env: {}, say: () => undefined })).toBeUndefined();
    const channel = { route: ["channel"], gate: [PAYEE], deposit: "1", payments: file("channels") };
    expect((await given(channel))?.path).toBe("/v1/channel/chat/completions");
  });

  it.each<[object, RegExp]>([
    [{ pay: undefined }, /^--budget: says nothing without --pay$/],
    [{ budget: undefined }, /^--budget: say what/],
    [{ deployment: undefined }, /^--deployment: name the file/],
    [{ pay: "1e3" }, /^--pay: must be an amount of OPG such as 0\.05, got 1e3$/],
    [{ budget: "0.0000000000000000001" }, /^--budget: must be an amount/],
    [{ route: ["batch"] }, /^--route: must be escrow, exact, commerce or channel, got batch$/],
    [{ route: ["exact"] }, /^pins\.payees: are needed/],
    [{ route: ["escrow", "exact"], payee: [PAYEE] }, /^--payments: is needed with two routes/],
    [{ payee: ["0x1"] }, /^--payee: must be an address, got 0x1$/],
    [{ deployment: "no/such" }, /^no\/such: there is no such file$/],
    [{ gate: [PAYEE] }, /^--gate: is for --route channel$/],
    [{ operator: [PAYEE] }, /^--operator: is for --route commerce$/],
    [{ route: ["commerce"] }, /^--operator: name the operators/],
    [{ route: ["commerce"], operator: ["0x1"] }, /^--operator: must be an address, got 0x1$/],
    [{ route: ["commerce"], operator: [PAYEE] }, /^--payments: is needed to pay by commerce/],
    [{ deposit: "1" }, /^--deposit: is for --route channel$/],
    [{ route: ["channel", "exact"] }, /^--route: channel goes with no other one$/],
    [{ route: ["channel"] }, /^--gate: name the gates/],
    [{ route: ["channel"], gate: ["0x1"] }, /^--gate: must be an address, got 0x1$/],
    [{ route: ["channel"], gate: [PAYEE] }, /^--deposit: say what comes/],
    [
      { route: ["channel"], gate: [PAYEE], deposit: "1", payments: undefined },
      /^--payments: is needed/,
    ],
    [{ payments: "/dev/null/x" }, /^--payments: .* cannot be made a folder$/],
  ])("%j is refused", async (changes, message) => {
    await expect(given(changes)).rejects.toThrow(message);
  });

  it("a file that is no deployment, and a key that is none, which is not shown", async () => {
    await expect(given({ deployment: file("pins.json") })).rejects.toThrow(/: has no OPG$/);
    const options = { pay: "1", budget: "1", deployment: file("deployment.json"), payee: [PAYEE] };
    for (const HACA_PAYER_KEY of ["", "0xsecret"]) {
      const refused = payerOf(options, { env: { HACA_PAYER_KEY }, say: () => undefined });
      await expect(refused).rejects.toThrow(/^HACA_PAYER_KEY: (?!.*secret)/);
    }
  });
});
