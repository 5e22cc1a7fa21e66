import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { hexlify, id, ZeroAddress } from "ethers";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { compiledLayout } from "../../tools/receipts/witnessVectors.ts";
import { TeeChain } from "../../worker/test/support/teeChain.ts";
import { openChain } from "../src/chain/openChain.ts";
import { verifyFile } from "../src/cli/receiptCommands.ts";
import { sealFile } from "../src/cli/sealCommand.ts";
import { type HacaOptions, readClient } from "../src/client/client.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { seal } from "../src/client/seal.ts";
import type { Line } from "../src/line.ts";
import type { Pins } from "../src/pins.ts";
import { makeReceipt } from "../src/receipt/makeReceipt.ts";
import type { Receipt, ReceiptCore, WitnessEvidence } from "../src/receipt/receipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { judgeWitnesses } from "../src/witness/judgeWitnesses.ts";
import { makeWitness } from "../src/witness/makeWitness.ts";
import type { StorageLayout } from "../src/witness/storageLayout.ts";
import { servedChains } from "./support/chains.ts";
import { changeAt } from "./support/changeAt.ts";
import { ChatNode, PINS } from "./support/chatNode.ts";
import { OPTIONS, receiptOf } from "./support/vectors.ts";

const IS_DEEP = process.env.HACA_DEEP === "1";
/** One byte in so many is flipped by default. */
const STEP = 31;
const CHAIN_ID = "31337";

const statusOf = (lines: readonly Line[], check: string): string | undefined =>
  lines.find((line) => line.check === check)?.status;
const detailOf = (lines: readonly Line[], check: string): string | undefined =>
  lines.find((line) => line.check === check)?.detail;

function witnessIn({ evidence }: Receipt): WitnessEvidence {
  const found = evidence.find(({ type }) => type === "witness");
  if (found?.type !== "witness") throw new Error("no witness");
  return found;
}

describe("a witness", () => {
  const receipt = receiptOf("teeWitnessed");
  const [block = ""] = OPTIONS.blockHashes;

  it("shows nothing without a block hash that the verifier brings, and says of which block", async () => {
    const number = /^nobody vouches for block \d+$/;
    for (const blockHashes of [[], [id("another block")]]) {
      const lines = await verify(receipt, { ...OPTIONS, blockHashes });
      for (const check of ["witness", "admitted", "settled"]) {
        expect(statusOf(lines, check), check).toBe("unknown");
        expect(detailOf(lines, check)).toMatch(number);
      }
    }
    const upper = [`0x${block.slice(2).toUpperCase()}`];
    expect(statusOf(await verify(receipt, { ...OPTIONS, blockHashes: upper }), "settled")).toBe(
      "asserted",
    );
  });

  it("shows nothing where the storage is not pinned, or is another one", async () => {
    const [settlement] = OPTIONS.pins.settlements ?? [];
    if (settlement?.storage === undefined) throw new Error("no storage");
    const { storage, ...bare } = settlement;
    const under = (pinned: object) =>
      verify(receipt, { ...OPTIONS, pins: { ...OPTIONS.pins, settlements: [pinned] } as Pins });
    const without = await under(bare);
    expect(statusOf(without, "witness")).toBe("unknown");
    expect(detailOf(without, "settled")).toBe("the storage of the settlement is not pinned");
    const places = storage.settlement.map((place) =>
      place.name === "_pages" ? { ...place, type: "uint256" } : place,
    );
    const other = await under({ ...bare, storage: { ...storage, settlement: places } });
    expect(detailOf(other, "witness")).toMatch(/^the deployment's storage has no mapping/);
    expect(statusOf(other, "settled")).toBe("unknown");
  });

  it("is of the latest of the blocks that are vouched for, and each has to hold", async () => {
    const twice = { ...receipt, evidence: [...receipt.evidence, witnessIn(receipt)] };
    expect(statusOf(await verify(twice, OPTIONS), "settled")).toBe("asserted");
    const bad = changeAt(twice, ["evidence", 2, "codes"], []) as Receipt;
    const lines = await verify(bad, OPTIONS);
    expect(statusOf(lines, "witness")).toBe("refuted");
    expect(statusOf(lines, "settled")).toBe("unknown");
  });

  it("asserts nothing when a byte of it is flipped", async () => {
    const { core } = receipt;
    const layout = OPTIONS.pins.settlements?.[0]?.storage;
    const witness = witnessIn(receipt);
    let flips = 0;
    const parts: (string | number)[][] = [
      ["header"],
      ...witness.nodes.map((_, place) => ["nodes", place]),
      ...witness.codes.map((_, place) => ["codes", place]),
    ];
    for (const path of parts) {
      const value = path.reduce<unknown>((at, name) => Reflect.get(at as object, name), witness);
      const bytes = Buffer.from(String(value).slice(2), "hex");
      for (let at = flips % STEP; at < bytes.length; at += IS_DEEP ? 1 : STEP) {
        const flipped = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (flips % 8)));
        const changed = changeAt(witness, path, hexlify(flipped)) as WitnessEvidence;
        const { lines, settled } = await judgeWitnesses(
          { core, witnesses: [changed] },
          { layout, blockHashes: OPTIONS.blockHashes },
        );
        for (const line of [...lines, settled]) expect(line.status).not.toBe("asserted");
        flips += 1;
      }
    }
    expect(flips).toBeGreaterThan(100);
  });
});

describe("on a chain", () => {
  const start = servedChains();
  const nodes: ChatNode[] = [];
  afterEach(() => {
    for (const node of nodes.splice(0)) node.stop();
  });
  let tee: TeeChain;
  let enclave: SimulatedEnclave;
  let layout: StorageLayout;
  let model: string;
  let nonce = 0n;
  beforeAll(async () => {
    tee = await TeeChain.start();
    enclave = tee.enclave("p256");
    await tee.admit(enclave);
    model = await tee.chain.publishManifest("language");
    layout = await compiledLayout();
  });
  afterAll(() => tee.stop());

  const settlement = (): string => String(tee.chain.settlement.target).toLowerCase();
  const pins = (): Pins => ({
    settlements: [{ chainId: CHAIN_ID, settlement: settlement(), storage: layout }],
  });
  const latest = async () => {
    const found = await tee.chain.provider.getBlock("latest");
    if (found === null) throw new Error("no block");
    return found;
  };

  function signed(options: { price?: bigint; timestamp: bigint; of?: SimulatedEnclave }): Receipt {
    const { of = enclave, price = 0n, timestamp } = options;
    nonce += 1n;
    const result = {
      ...{ modelVersion: model, inputHash: id("in"), outputHash: id(`out ${nonce}`) },
      ...{ requester: ZeroAddress, teeId: of.teeId, price, timestamp },
      requestId: encodeRequestId({ node: nodeOfEnclave(of.teeId), nonce }),
    };
    const domain = settlementDomain({ chainId: BigInt(CHAIN_ID), settlement: settlement() });
    const core: ReceiptCore = {
      ...{ chainId: CHAIN_ID, settlement: settlement() },
      message: { ...result, price: String(price), timestamp: String(timestamp) },
      signature: hexlify(of.sign(hashResult({ domain, result }))),
      key: hexlify(of.signingKey),
      ...{ session: null, attestation: null, input: null, output: null },
    };
    return makeReceipt({ core });
  }

  const settle = async ({ core }: Receipt): Promise<void> => {
    const sent = await tee.chain.execute(
      ...[tee.chain.settlement, "settleTee", core.message, core.signature],
    );
    await sent.wait();
  };

  /** Sealed with a witness of now, and the lines under that block's hash. */
  async function witnessed(receipt: Receipt): Promise<{ sealed: Receipt; lines: readonly Line[] }> {
    const client = readClient({ chainId: CHAIN_ID, rpcs: [tee.chain.url], pins: pins() });
    const { hash } = await latest();
    const { appended, receipt: sealed } = await seal({ client, receipt, wantsWitness: true });
    expect(appended).toEqual(["witness"]);
    const lines = await verify(sealed, { pins: pins(), blockHashes: [hash ?? ""] });
    expect(statusOf(lines, "witness")).toBe("asserted");
    return { sealed, lines };
  }

  it("shows what became of a result, and that the enclave was admitted", async () => {
    const timestamp = BigInt((await latest()).timestamp);
    const [paid, free, open] = [
      signed({ price: 7n, timestamp }),
      signed({ timestamp }),
      signed({ timestamp }),
    ];
    await settle(paid);
    await settle(free);
    for (const [receipt, status, detail] of [
      [paid, "asserted", "this result was settled for good"],
      [free, "unknown", "the request is settled; the chain does not show which result of it"],
      [open, "unknown", "not settled yet"],
    ] as const) {
      const { lines } = await witnessed(receipt);
      expect([statusOf(lines, "settled"), detailOf(lines, "settled")]).toEqual([status, detail]);
      expect(statusOf(lines, "admitted")).toBe("asserted");
    }
  });

  it("is kept by the command, by a deployment file, and lacks where that does not say where things are", async () => {
    const receipt = signed({ price: 7n, timestamp: BigInt((await latest()).timestamp) });
    await settle(receipt);
    const folder = mkdtempSync(join(tmpdir(), "haca-witness-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [file, deployment] = [join(folder, "receipt.json"), join(folder, "deployment.json")];
    const book = (storage: boolean) => {
      const of = (address: string, places: StorageLayout["settlement"]) => ({
        ...{ address, ...(storage ? { storage: places } : {}) },
      });
      const contracts = {
        InferenceSettlement: of(settlement(), layout.settlement),
        TEERegistry: of(String(tee.registry.target), layout.teeRegistry),
      };
      const text = { format: 1, chainId: Number(CHAIN_ID), contracts, models: [] };
      writeFileSync(deployment, JSON.stringify(text));
    };
    writeFileSync(file, serialiseReceipt(receipt));
    const sealing = { deployment, rpc: [tee.chain.url], witness: true };
    book(false);
    const without = await sealFile(file, sealing);
    expect([without.isDone, without.text]).toEqual([
      false,
      expect.stringContaining("missing   witness: the storage of the settlement is not pinned"),
    ]);
    book(true);
    const { hash } = await latest();
    expect((await sealFile(file, sealing)).text).toContain("appended  witness");
    const verifying = { deployment, blockHash: [hash ?? ""], json: true, isColoured: false };
    const { lines } = JSON.parse((await verifyFile(file, verifying)).text);
    expect(statusOf(lines, "settled")).toBe("asserted");
    expect(statusOf(lines, "admitted")).toBe("asserted");
  });

  /** A client that asks a node of which the chain knows what it knows. */
  async function clientOf(changes: Partial<HacaOptions> = {}) {
    // A block of now: an older one shows nothing of an answer that is newer.
    await tee.chain.send("evm_mine");
    const node = await ChatNode.start();
    nodes.push(node);
    const [own] = PINS.settlements ?? [];
    const settlements = [{ chainId: CHAIN_ID, ...own, storage: layout }] as Pins["settlements"];
    const haca = createHaca({
      ...{ chainId: CHAIN_ID, rpcs: [tee.chain.url], nodes: [node.url], witness: true },
      ...{ pins: { ...PINS, settlements } as Pins, ...changes },
    });
    return { haca, node };
  }
  const question = { model: "m", messages: [{ role: "user", content: "hi" }] };

  it("with an answer takes one from no enclave that the chain does not admit, whatever its document says", async () => {
    const { haca } = await clientOf();
    await expect(haca.chat(question)).rejects.toMatchObject({
      ...{ code: "answer.notVerified", details: { missing: ["admitted"] } },
    });
    expect((await haca.chat({ ...question, witness: false })).verification).toBe("verified");
  });

  it("costs no answer where an endpoint shows no proofs, and the reply says why there is none", async () => {
    const { haca } = await clientOf({ rpcs: [await start()] });
    const reply = await haca.chat(question);
    expect([reply.verification, reply.witness]).toEqual([
      "verified",
      { missing: expect.stringMatching(/ refused eth_getBlockByHash: /) },
    ]);
    expect(reply.receipt?.evidence.map(({ type }) => type)).toEqual(["attestation"]);
    expect((await haca.chat({ ...question, witness: false })).witness).toBeNull();
  });

  it("is asked of nobody where it could never be had, and not of an answer that has no receipt", async () => {
    const { haca, node } = await clientOf({ witness: false });
    const bare = await clientOf({ pins: PINS });
    const alone = await clientOf({ rpcs: [] });
    for (const [asked, option] of [
      [haca.chat({ ...question, witness: "yes" as never }), "witness"],
      [haca.chat({ ...question, witness: true, verify: "off" }), "witness"],
      [bare.haca.chat(question), "pins.settlements"],
      [alone.haca.chat(question), "rpcs"],
      [alone.haca.infer({ model: id("version"), input: [1] }), "rpcs"],
    ] as const) {
      await expect(asked).rejects.toMatchObject({
        ...{ code: "option.wrong", message: expect.stringMatching(new RegExp(`^${option}: `)) },
      });
    }
    expect(() => createHaca({ chainId: 1, witness: 1 as never })).toThrow(/^witness: must be/);
    expect([node, bare.node, alone.node].map(({ asked }) => asked.length)).toEqual([0, 0, 0]);
  });

  it("refutes that a result was settled where another one of its request was", async () => {
    const timestamp = BigInt((await latest()).timestamp);
    const first = signed({ price: 7n, timestamp });
    nonce -= 1n;
    const second = signed({ price: 8n, timestamp });
    await settle(first);
    expect(statusOf((await witnessed(second)).lines, "settled")).toBe("refuted");
  });

  it("shows as settled nothing that a writer of the ledger holds, and what it lets go as open", async () => {
    const timestamp = BigInt((await latest()).timestamp);
    const receipt = signed({ price: 7n, timestamp });
    const page = BigInt(receipt.core.message.requestId) >> 8n;
    const bit = 1n << (BigInt(receipt.core.message.requestId) & 0xffn);
    const { provider } = tee.chain;
    const writer = String(tee.chain.registry.target);
    const runner = tee.administrator;
    const ledger = contractAt({ name: "InferenceSettlement", address: settlement(), runner });
    await (await ledger.setLedgerWriter(writer, true)).wait();
    await provider.send("anvil_impersonateAccount", [writer]);
    await provider.send("anvil_setBalance", [writer, "0xde0b6b3a7640000"]);
    const write = async (name: string, ...values: unknown[]): Promise<void> => {
      const data = tee.chain.settlement.interface.encodeFunctionData(name, values);
      const to = settlement();
      const hash = await provider.send("eth_sendTransaction", [{ from: writer, to, data }]);
      await provider.send("evm_mine", []);
      const mined = await provider.send("eth_getTransactionReceipt", [hash]);
      expect(mined.status).toBe("0x1");
    };
    await write("hold", page, bit);
    const { lines } = await witnessed(receipt);
    expect(statusOf(lines, "settled")).toBe("unknown");
    expect(detailOf(lines, "settled")).toMatch(/^a page has the request/);
    await write("release", page, bit);
    expect(detailOf((await witnessed(receipt)).lines, "settled")).toBe("not settled yet");
    // A whole page has its own mark.
    await write("hold", page + 7n, (1n << 256n) - 1n);
    const moved = signed({ timestamp });
    const requestId = `0x${((page + 7n) * 256n + 3n).toString(16).padStart(64, "0")}`;
    const whole = { ...moved, core: changeAt(moved.core, ["message", "requestId"], requestId) };
    const held = await witnessed(whole as Receipt);
    expect(detailOf(held.lines, "settled")).toMatch(/^a page has the request/);
  });

  it("says of an enclave what the registry says, through all that can happen to it", async () => {
    const node = tee.enclave("p256");
    const before = BigInt((await latest()).timestamp);
    const { registry } = tee;
    const compare = async (step: string): Promise<string[]> => {
      const now = BigInt((await latest()).timestamp);
      const found: string[] = [];
      for (const timestamp of new Set([before - 1n, now - 1n, now, now + 60n, now + 61n])) {
        const { core } = signed({ timestamp, of: node });
        const { block } = await openChain({ rpcs: [tee.chain.url], chainId: CHAIN_ID });
        const evidence = await makeWitness({ rpc: tee.chain.url, block, core, layout });
        const { lines } = await judgeWitnesses(
          { core, witnesses: [evidence] },
          { layout, blockHashes: [block.hash] },
        );
        if (timestamp > now + 60n) {
          // What became of the enclave since then the block does not show.
          expect(statusOf(lines, "admitted")).toBe("unknown");
          continue;
        }
        const time = timestamp < now ? timestamp : now;
        const expected = await registry.wasInService(node.teeId, time);
        const status = statusOf(lines, "admitted");
        expect([step, timestamp - now, status]).toEqual([
          ...[step, timestamp - now],
          expected ? "asserted" : "refuted",
        ]);
        found.push(String(status));
      }
      return found;
    };
    const change = async (sent: Promise<{ wait: () => Promise<unknown> }>): Promise<void> => {
      await (await sent).wait();
      await tee.chain.send("evm_increaseTime", 5);
      await tee.chain.send("evm_mine");
    };
    const seen = [await compare("unknown")];
    await tee.admit(node);
    seen.push(await compare("admitted"));
    await change(registry.disableTEE(node.teeId));
    seen.push(await compare("disabled"));
    await change(registry.enableTEE(node.teeId));
    seen.push(await compare("enabled"));
    await change(registry.banTEE(node.teeId));
    seen.push(await compare("banned"));
    await change(registry.liftBan(node.teeId));
    await change(registry.enableTEE(node.teeId));
    seen.push(await compare("back"));
    await change(registry.denyOperator(tee.operator));
    seen.push(await compare("denied"));
    await change(registry.allowOperator(tee.operator));
    seen.push(await compare("allowed"));
    await change(registry.setVerifier(0, await registry.verifier(0)));
    seen.push(await compare("another verifier"));
    const { image } = await imageOf(node);
    await change(registry.revokeImage(image, 0, 0));
    seen.push(await compare("revoked"));
    expect(new Set(seen.flat())).toEqual(new Set(["asserted", "refuted"]));
  });

  const imageOf = async (node: SimulatedEnclave): Promise<{ image: string }> => {
    const events = await tee.registry.queryFilter("TEEAttested", 0);
    const event = events.find((one) => "args" in one && one.args.teeId === node.teeId);
    if (event === undefined || !("args" in event)) throw new Error("never attested");
    return { image: String(event.args.measurement) };
  };
});
