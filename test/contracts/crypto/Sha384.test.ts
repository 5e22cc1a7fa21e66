import { createHash } from "node:crypto";
import { expect } from "chai";
import { network } from "hardhat";
import { type AttestationHarness, deployAttestationHarness } from "../utils/attestationHarness.ts";

const { ethers } = await network.create();
const MAXIMUM_LENGTH = 2_000;
const RANDOM_RUNS = process.env.HACA_DEEP === "1" ? 2_000 : 60;

const sha384 = (data: Uint8Array): string => `0x${createHash("sha384").update(data).digest("hex")}`;

/** Bytes that depend on the seed alone. */
const bytesFrom = (seed: string, length: number): Uint8Array =>
  createHash("shake256", { outputLength: Math.max(1, length) })
    .update(seed)
    .digest()
    .subarray(0, length);

describe("Sha384", () => {
  let harness: AttestationHarness;

  before(async () => {
    harness = await deployAttestationHarness(ethers);
  });

  it("test_ExamplesOfNist", async () => {
    // FIPS 180-4 examples: "abc" and the two-block message; and the empty message of the validation suite
    const examples: [string, string][] = [
      [
        "abc",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
      ],
      [
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
      ],
      [
        "",
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
      ],
    ];
    for (const [text, expected] of examples) {
      expect(await harness.hash(new TextEncoder().encode(text))).to.equal(`0x${expected}`);
    }
  });

  it("test_EveryLengthAroundABlock", async () => {
    const lengths = Array.from({ length: 2 * 128 + 2 }, (_, length) => length);
    for (const length of lengths) {
      const data = bytesFrom(`length ${length}`, length);
      expect(await harness.hash(data), `${length} bytes`).to.equal(sha384(data));
    }
  });

  it("testFuzz_AgreesWithNode", async () => {
    for (let run = 0; run < RANDOM_RUNS; run++) {
      const [high = 0, low = 0] = bytesFrom(`random length ${run}`, 2);
      const data = bytesFrom(`random ${run}`, (256 * high + low) % (MAXIMUM_LENGTH + 1));
      expect(await harness.hash(data), `${data.length} bytes`).to.equal(sha384(data));
    }
  });

  it("test_ExtremeWords", async () => {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      for (const length of [64, 128, 512, MAXIMUM_LENGTH]) {
        const data = new Uint8Array(length).fill(byte);
        expect(await harness.hash(data)).to.equal(sha384(data));
      }
    }
  });

  it("test_NeitherDirtyMemoryNorNeighboursMatter", async () => {
    // in one call: a hash leaves its work area behind, and the data are between other calldata
    const first = bytesFrom("first", 300);
    const second = bytesFrom("second", 17);
    expect(await harness.hashTwice(first, second)).to.deep.equal([sha384(first), sha384(second)]);
  });
});
