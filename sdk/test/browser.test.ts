import { join } from "node:path";
import { Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isVerified } from "../src/isVerified.ts";
import type { Receipt } from "../src/receipt/receipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { HOSTILE, QUESTION } from "./support/agents.ts";
import { CHROMIUM, type OpenPage, openPage } from "./support/browser.ts";
import { changeAt } from "./support/changeAt.ts";
import { CHAIN_ID, ChatNode, type Lies, PINS, TEXT } from "./support/chatNode.ts";
import type { InPage } from "./support/page.ts";
import { SealedNode } from "./support/sealedNode.ts";
import { PAYMENT_PINS, PRICE, SellingNode } from "./support/sellingNode.ts";
import { OPTIONS, receiptOf, textOf, VECTORS } from "./support/vectors.ts";

describe.skipIf(CHROMIUM === undefined)("in Chromium", () => {
  let page: OpenPage<InPage>;
  let node: ChatNode;
  beforeAll(async () => {
    page = await openPage<InPage>(
      join(import.meta.dirname, "support/page.ts"),
      join(import.meta.dirname, "../src/many/verifyWorker.ts"),
    );
    node = await ChatNode.start();
  });
  beforeEach(() => {
    node.reset();
    node.page = page.origin;
  });
  afterAll(async () => {
    node?.stop();
    await page?.close();
  });

  const { blockHashes, now, pins } = VECTORS;
  const options = { pins, now, blockHashes };
  const ask = (isStream: boolean, rest: Partial<Parameters<InPage["chat"]>[0]> = {}) =>
    page.call("chat", {
      ...{ url: node.url, pins: PINS, chainId: String(CHAIN_ID), question: QUESTION, isStream },
      ...rest,
    });

  it("every receipt of the vectors, good and bad, has the lines that it has in Node", async () => {
    const bad = VECTORS.bad.map(({ of, path, value }) =>
      serialiseReceipt(changeAt(receiptOf(of), path, value) as Receipt),
    );
    const receipts = [...VECTORS.good.map(({ receipt }) => receipt), ...bad, "{}", ""];
    const found = await page.call("linesOf", { ...options, receipts });
    const expected = await Promise.all(receipts.map((receipt) => verify(receipt, OPTIONS)));
    expect(found).toEqual(expected);
    expect(found.some((lines) => isVerified(lines))).toBe(true);
  });

  it("many are verified while the page goes on", async () => {
    const receipts = [textOf("zkml"), textOf("vanilla"), ...Array(30).fill(textOf("zkml"))];
    for (const worker of [undefined, "/worker.js"]) {
      const found = await page.call("manyOf", { ...options, receipts, ...(worker && { worker }) });
      expect(found).toMatchObject({
        ...{ verified: [true, false, ...Array(30).fill(true)], others: [false, true] },
      });
      expect(found.turns).toBeGreaterThan(1);
    }
  });

  it("many are verified by no worker that is not there, and nobody waits for it", async () => {
    const receipts = [textOf("zkml"), textOf("vanilla")];
    const found = await page.call("manyOf", { ...options, receipts, worker: "/none.js" });
    expect(found.failure).toMatch(/the page's worker failed/);
  });

  it.each([false, true])("a node gives a verified answer, as a stream: %s", async (isStream) => {
    const { released, text, receipt = "" } = await ask(isStream);
    expect({ text, isReleased: released > 0 }).toEqual({ text: TEXT, isReleased: isStream });
    expect(isVerified(await verify(receipt, { pins: PINS, model: "m" }))).toBe(true);
    expect(page.complaints).toEqual([]);
  });

  const elsewhere: Lies = {
    instead: (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  };
  const endless: Lies = {
    instead: (response) => {
      const more = (): void => {
        while (response.write("x".repeat(1 << 16)));
      };
      response.on("drain", more);
      more();
    },
  };
  it.each([
    ...HOSTILE,
    ["a redirection", elsewhere, { isOfStreams: false }, "node.redirect"] as const,
    ["a body without an end", endless, { isOfStreams: false }, "node.tooLong"] as const,
  ])("%s: the same error as in Node, and nothing is released", async (_name, lies, only, code) => {
    for (const isStream of only.isOfStreams ? [true] : [false, true]) {
      Object.assign(node, { lies });
      expect(await ask(isStream)).toEqual({ released: 0, code });
    }
  });

  it("nothing is released by channel: a page is shown no certificate", async () => {
    expect(await ask(true, { release: "channel" })).toEqual({ released: 0, code: "option.wrong" });
    expect(node.asked).toEqual([]);
  });

  it("oblivious requests are what a page has in its place: verified, as a stream too, and none is taken that was cut off", async () => {
    const sealed = await SealedNode.start();
    sealed.inner.page = page.origin;
    const rest = { url: sealed.url, channel: "oblivious" } as const;
    for (const isStream of [false, true]) {
      const { receipt = "", text } = await ask(isStream, { ...rest, release: "channel" });
      expect(text).toBe(TEXT);
      expect(isVerified(await verify(receipt, { pins: PINS, model: "m" }))).toBe(true);
    }
    expect(sealed.asked.map(({ body }) => body.includes(QUESTION))).toEqual([false, false]);
    sealed.lies = { sealed: (bytes) => bytes.subarray(0, -1) };
    for (const isStream of [false, true]) {
      expect(await ask(isStream, rest)).toEqual({ released: 0, code: "node.notSealed" });
    }
    sealed.stop();
  });

  it("an answer is paid for once, and no more than was allowed", async () => {
    const selling = await SellingNode.start();
    selling.page = page.origin;
    const wallet = Wallet.createRandom();
    selling.sold = { requester: wallet.address.toLowerCase(), price: String(PRICE) };
    const { chainId: _, ...pins } = PAYMENT_PINS;
    const pay = (most: bigint) =>
      ask(false, { url: selling.url, paid: { key: wallet.privateKey, pins, most: String(most) } });
    expect(await pay(PRICE - 1n)).toEqual({ released: 0, code: "payment.tooMuch" });
    expect(selling.payments).toEqual([]);
    expect(await pay(PRICE)).toMatchObject({ text: TEXT, route: "escrow" });
    expect(selling.payments).toHaveLength(1);
    selling.stop();
  });

  it("a node that does not let this site's pages ask is not there for them", async () => {
    node.page = "https://another.example";
    expect(await ask(false)).toEqual({ released: 0, code: "node.unreachable" });
    expect(node.asked).toEqual([]);
  });
});
