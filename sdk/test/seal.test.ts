import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { toBytes } from "../src/bytes.ts";
import { readClient } from "../src/client/client.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { readNodeAddress } from "../src/client/nodeAddress.ts";
import { seal } from "../src/client/seal.ts";
import { isVerified } from "../src/isVerified.ts";
import { parseReceipt } from "../src/receipt/parseReceipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { servedChains } from "./support/chains.ts";
import { SETTLEMENT } from "./support/fakeChain.ts";
import {
  INPUT,
  type InferNode,
  type Lies,
  PINNED_MODEL,
  serveInferNode,
  WITH_MODEL,
} from "./support/inferNode.ts";
import { OPTIONS, receiptOf } from "./support/vectors.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));
const start = servedChains();
const nodes: InferNode[] = [];
afterEach(() => {
  for (const { close } of nodes.splice(0)) close();
});
const pins = {
  settlements: [{ chainId: "31337", settlement: SETTLEMENT }],
  models: { four: PINNED_MODEL },
};

/** A receipt without its proof, and whom to ask for it. */
async function unproved(lies: Lies = {}) {
  const node = await serveInferNode(lies);
  nodes.push(node);
  const time = BigInt(Math.floor(Date.now() / 1000));
  const rpcs = [await start({ time, contracts: WITH_MODEL })];
  const haca = createHaca({ chainId: 31337, rpcs, nodes: [node.url], pins });
  const { receipt } = await haca.infer({ model: "four", input: INPUT, proof: "off" });
  return { receipt, url: node.url, node: readNodeAddress(node.url), rpcs };
}

describe("seal", () => {
  it("appends the proof once the node has it, and says what is missing until then", async () => {
    const { receipt, node, rpcs } = await unproved();
    const client = readClient({ chainId: 31337, rpcs, pins });
    const early = await seal({ client, receipt, node });
    expect(early).toMatchObject({ receipt, appended: [] });
    expect(early.missing[0]).toEqual({ type: "proof", reason: "the request is accepted" });
    const { appended, receipt: sealed } = await seal({ client, receipt, node });
    expect(appended).toEqual(["proof"]);
    expect(sealed.core).toEqual(receipt.core);
    expect(isVerified(await verify(sealed, { pins }))).toBe(true);
    const again = await seal({ client, receipt: sealed, node });
    expect(again.appended).toEqual([]);
    expect(again.missing.map(({ type }) => type)).toEqual(["page"]);
  });

  it.each<[string, Lies]>([
    ["of another request", { proof: { requestId: `0x${"12".repeat(32)}` } }],
    ["under another key", { hasOtherKey: true }],
  ])("does not append a proof %s", async (_, lies) => {
    const { receipt, node, rpcs } = await unproved(lies);
    const client = readClient({ chainId: 31337, rpcs, pins });
    await seal({ client, receipt, node });
    await expect(seal({ client, receipt, node })).rejects.toMatchObject({ code: "seal.refuted" });
  });

  it("appends the page that has the result, and no other", async () => {
    const client = readClient({ chainId: 31337, pins: OPTIONS.pins });
    const whole = receiptOf("teeP256InPage");
    const page = whole.evidence.find(({ type }) => type === "page");
    if (page?.type !== "page") throw new Error("no page");
    const receipt = { ...whole, evidence: whole.evidence.filter((item) => item !== page) };
    const sealBy = async (shown: object) => {
      const node = await serveInferNode({ page: shown });
      nodes.push(node);
      const sealed = await seal({ client, receipt, node: readNodeAddress(node.url) });
      return { ...sealed, asked: node.asked };
    };
    const sealed = await sealBy(page);
    expect(sealed).toMatchObject({ appended: ["page"], missing: [] });
    expect(sealed.receipt.evidence.at(-1)).toEqual(page);
    expect(sealed.asked.at(-1)).toBe(`/v1/results/${whole.core.message.requestId}/page`);
    for (const wrong of [
      { ...page, path: page.path.toReversed() },
      { ...page, header: { ...page.header, bitmap: "0" } },
    ]) {
      await expect(sealBy(wrong)).rejects.toMatchObject({ code: "seal.refuted" });
    }
    for (const wrong of [
      { ...page, path: page.path.slice(1) },
      { ...page, header: null },
    ]) {
      await expect(sealBy(wrong)).rejects.toMatchObject({ code: "node.malformed" });
    }
  });

  it("appends the document that the core names, and no other", async () => {
    const whole = receiptOf("teeRsa");
    const [found] = whole.evidence;
    if (found?.type !== "attestation") throw new Error("no document");
    const receipt = { ...whole, evidence: [] };
    const client = readClient({ chainId: 31337, pins: OPTIONS.pins });
    const document = toBytes(found.document);
    const sealed = await seal({ client, receipt, document });
    expect(serialiseReceipt(sealed.receipt)).toBe(serialiseReceipt(whole));
    await expect(seal({ client, receipt, document: document.slice(1) })).rejects.toMatchObject({
      code: "seal.refuted",
    });
    await expect(seal({ client, receipt: receiptOf("zkml"), document })).rejects.toMatchObject({
      code: "seal.refuted",
    });
    const other = readClient({ chainId: 1, pins: OPTIONS.pins });
    await expect(seal({ client: other, receipt })).rejects.toMatchObject({
      code: "seal.otherChain",
    });
  });
});

describe("haca infer, receipt seal", () => {
  let folder = "";
  const file = (name: string): string => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "haca-infer-"));
    writeFileSync(file("pins.json"), JSON.stringify(pins));
    writeFileSync(file("input.json"), JSON.stringify(INPUT));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const haca = (...args: readonly string[]) =>
    new Promise<{ status: unknown; out: string; err: string }>((resolve) => {
      execFile(process.execPath, [COMMAND, ...args], (error, out, err) =>
        resolve({ status: error === null ? 0 : error.code, out, err }),
      );
    });

  it("asks, keeps the receipt, and seals it in its file", async () => {
    const { rpcs, url } = await unproved();
    const [rpc = ""] = rpcs;
    const known = ["--pins", file("pins.json"), "--rpc", rpc, "--node", url];
    const asked = ["infer", "--model", "four", "--chain", "31337", "--input", file("input.json")];
    const receipt = file("receipt.json");
    const early = await haca(...asked, ...known, "--receipt", receipt, "--no-proof");
    expect([early.status, early.err]).toEqual([0, ""]);
    expect(early.out).toMatch(/^output 0: -1 2 0.5\noutput 1: 1\nreceipt 0x[0-9a-f]{64}\n/);
    expect(early.out).toMatch(/\nnot verified: its proof was not waited for\n$/);
    const taken = await haca(...asked, ...known, "--receipt", receipt);
    expect([taken.status, taken.err]).toEqual([
      ...[2, `--receipt: ${receipt}: there is such a file already\n`],
    ]);
    chmodSync(receipt, 0o600);
    const before = parseReceipt(readFileSync(receipt, "utf8"));
    const nothing = await haca("receipt", "seal", receipt, ...known, "--json");
    expect([nothing.status, JSON.parse(nothing.out).appended]).toEqual([1, []]);
    const sealed = await haca("receipt", "seal", receipt, ...known);
    expect(sealed.status).toBe(0);
    expect(sealed.out).toMatch(/\nappended {2}proof\nmissing {3}page: the request is proven\n$/);
    const after = parseReceipt(readFileSync(receipt, "utf8"));
    expect(after.core).toEqual(before.core);
    expect(after.evidence.map(({ type }) => type)).toEqual(["proof"]);
    expect(statSync(receipt).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    const verified = await haca("receipt", "verify", receipt, "--pins", file("pins.json"));
    expect(verified.status).toBe(0);
  });

  it("prints a verified answer for programs, and ends with 1 for a lie, whose receipt is not kept", async () => {
    const good = await unproved();
    const lying = await unproved({ hasOtherKey: true });
    const run = ({ rpcs: [rpc = ""], url }: { rpcs: string[]; url: string }, ...more: string[]) =>
      haca(
        ...["infer", "--model", "four", "--chain", "31337", "--input", file("input.json")],
        ...["--pins", file("pins.json"), "--rpc", rpc, "--node", url, ...more],
      );
    const [answer, lie, wrong] = await Promise.all([
      run(good, "--json"),
      run(lying, "--receipt", file("lie.json")),
      run(good, "--max-price", "1e3"),
    ]);
    expect(answer.status).toBe(0);
    expect(JSON.parse(answer.out)).toMatchObject({
      verification: "verified",
      outputs: [[-1, 2, 0.5], [1]],
    });
    expect([lie.status, lie.out]).toEqual([1, ""]);
    expect(lie.err).toMatch(/ is not verified, for: proof \(the proof does not hold\)\n$/);
    expect(readdirSync(folder)).not.toContain("lie.json");
    expect([wrong.status, wrong.err]).toEqual([
      ...[2, "--max-price: must be wei-scale OPG in decimal digits, got 1e3\n"],
    ]);
  });
});
