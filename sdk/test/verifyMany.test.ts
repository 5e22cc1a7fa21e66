import { bn254 } from "@noble/curves/bn254";
import { beforeAll, describe, expect, it } from "vitest";
import {
  encodeG1,
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../test/contracts/utils/groth16Simulator.ts";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { replaceInProof } from "../../test/contracts/utils/proofParts.ts";
import { scalarsFrom } from "../../test/contracts/utils/randomScalars.ts";
import { toBytes } from "../src/bytes.ts";
import { isProof } from "../src/groth16.ts";
import { isVerified } from "../src/isVerified.ts";
import type { Line } from "../src/line.ts";
import { judgeProofs, type Verdict } from "../src/many/judgeProofs.ts";
import { verifyInParts } from "../src/many/verifyInParts.ts";
import type { ProofClaim } from "../src/proofClaim.ts";
import type { Receipt } from "../src/receipt/receipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { verifyMany } from "../src/verifyMany.ts";
import { endpoints, servedChains } from "./support/chains.ts";
import { changeAt } from "./support/changeAt.ts";
import { OPTIONS, receiptOf, textOf, VECTORS } from "./support/vectors.ts";

const ready = (): Promise<void> => Promise.resolve();
const random = scalarsFrom("many");
const keys = [3, 2].map((signalCount) => makeTrapdoor({ signalCount, random }));
const claimOf = (key = 0): ProofClaim => {
  const trapdoor = keys[key];
  if (trapdoor === undefined) throw new Error("no such key");
  const signals = Array.from({ length: 3 - key }, () => random());
  const proof = makeProof({ trapdoor, signals, a: random(), b: random() });
  return { verifyingKey: makeVerifyingKey(trapdoor), proof, signals };
};
const moved = (claim: ProofClaim, by: 1n | -1n): ProofClaim => {
  const bytes = toBytes(claim.proof).subarray(192);
  const at = (from: number): bigint =>
    BigInt(`0x${Buffer.from(bytes.subarray(from, from + 32)).toString("hex")}`);
  const { BASE, fromAffine } = bn254.G1.ProjectivePoint;
  const step = by === 1n ? BASE : BASE.negate();
  const { x, y } = fromAffine({ x: at(0), y: at(32) })
    .add(step)
    .toAffine();
  return { ...claim, proof: replaceInProof(claim.proof, { c: encodeG1({ x, y }) }) };
};

describe("proofs that are looked at together", () => {
  it("hold where each holds alone; those that do not are found among them", async () => {
    const good = [claimOf(), claimOf(1), claimOf(), claimOf(), claimOf(1), claimOf(1), claimOf()];
    const claims: ProofClaim[] = [
      ...good,
      moved(claimOf(), 1n),
      { ...claimOf(), signals: [1n, 2n, 3n] },
      { ...claimOf(), verifyingKey: claimOf(1).verifyingKey },
      { ...claimOf(), proof: `0x${"00".repeat(256)}` },
      { ...claimOf(), proof: "0x12" },
    ];
    const alone = claims.map((claim): Verdict => {
      try {
        return isProof(claim);
      } catch (error) {
        return error as Error;
      }
    });
    expect(await judgeProofs(claims, ready)).toEqual(alone);
    expect(alone.slice(0, good.length + 3).map((verdict) => verdict === true)).toEqual([
      ...good.map(() => true),
      ...[false, false, false],
    ]);
    expect(await judgeProofs([], ready)).toEqual([]);
  });

  it("do not hold because one is wrong by as much as another, the other way", async () => {
    // The plain product of these three holds.
    const claims = [moved(claimOf(), 1n), moved(claimOf(), -1n), claimOf()];
    expect(await judgeProofs(claims, ready)).toEqual([false, false, true]);
  });
});

const proved = receiptOf("zkml");
const withProof = (change: (proof: string) => string): Receipt => ({
  ...proved,
  evidence: proved.evidence.map((item) =>
    item.type === "proof" ? { ...item, proof: change(item.proof) } : item,
  ),
});
const flipped = withProof(withOtherEnd);
const SOURCES: readonly (Receipt | Uint8Array | string)[] = [
  ...[textOf("zkml"), proved, textOf("zkml"), flipped, textOf("zkml")],
  withProof((proof) => replaceInProof(proof, { c: encodeG1("zero") })),
  serialiseReceipt(withProof((proof) => replaceInProof(proof, { a: encodeG1("zero") }))),
  ...VECTORS.good.map(({ receipt }) => receipt),
  ...["", "{}", new Uint8Array([255])],
  { ...proved, core: { ...proved.core, chainId: "x" } },
];

describe("many receipts", () => {
  let alone: readonly (readonly Line[])[];
  beforeAll(async () => {
    alone = await Promise.all(SOURCES.map((source) => verify(source, OPTIONS)));
  });

  it.each([
    ["in a thread", verifyMany],
    ["on this one", verifyInParts],
  ] as const)("are what each is alone, bad ones among them: %s", async (_name, judge) => {
    const together = await judge(SOURCES, OPTIONS);
    expect(together).toEqual(alone);
    const refuted = together.flatMap((lines, index) =>
      lines.some(({ check, status }) => check === "proof" && status === "refuted") ? [index] : [],
    );
    expect(refuted).toEqual([3, 5, 6]);
  });

  it("are named among good ones, bad ones of every kind, by what is wrong", async () => {
    const bad = VECTORS.bad.map(({ of, path, value }) =>
      serialiseReceipt(changeAt(receiptOf(of), path, value) as Receipt),
    );
    const sources = [textOf("zkml"), ...bad, textOf("zkmlInPage")];
    const together = await verifyInParts(sources, OPTIONS);
    expect(together.flatMap((lines, index) => (isVerified(lines) ? [index] : []))).toEqual([
      ...[0, sources.length - 1],
    ]);
    for (const [index, { refuted }] of VECTORS.bad.entries()) {
      const found = together[index + 1]?.filter(({ status }) => status === "refuted") ?? [];
      expect(found.map(({ check }) => check)).toContain(refuted ?? "form");
    }
    if (process.env.HACA_DEEP !== "1") return;
    for (const [index, source] of sources.entries()) {
      expect(together[index]).toEqual(await verify(source, OPTIONS));
    }
  });

  it("are none where there are none", async () => {
    expect(await verifyMany([])).toEqual([]);
  });
});

describe("many receipts with a chain", () => {
  const start = servedChains();
  it("are looked at as of one block of it", async () => {
    const rpc = await start();
    const options = { ...OPTIONS, rpcs: [rpc] };
    const sources = [textOf("teeP256"), textOf("teeP256")];
    const together = await verifyInParts(sources, options);
    const opened = endpoints.flatMap(({ calls }) => calls.filter((call) => call === "eth_chainId"));
    expect(opened.length).toBe(1);
    const one = await verify(textOf("teeP256"), options);
    expect(together).toEqual([one, one]);
  });

  it("takes no page's worker in Node, which starts its own thread", async () => {
    await expect(verifyMany([], {}, {} as never)).rejects.toMatchObject({ code: "option.wrong" });
  });
});
