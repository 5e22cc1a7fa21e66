import { encodeRequestId } from "@haca/protocol/requestId";
import { decodeZkmlBatch } from "@haca/protocol/zkmlBatch";
import { getBytes, hexlify, Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { settlementInterface } from "../src/chain/chain.ts";
import type { Job } from "../src/jobs/job.ts";
import type { Waiting } from "../src/jobs/leases.ts";
import { DRIVERS, driverFor, driverNamed } from "../src/roles/settle/kinds/drivers.ts";
import { provedAgain } from "../src/roles/settle/kinds/provedAgain.ts";
import type { EncodeContext, Lot } from "../src/roles/settle/kinds/settlementDriver.ts";
import { zkml } from "../src/roles/settle/kinds/zkml.ts";
import { zkmlBatch } from "../src/roles/settle/kinds/zkmlBatch.ts";
import { NODE, newJob } from "./support/newJob.ts";

const VERSION = `0x${"11".repeat(32)}`;
const provenJob = (nonce: number, changes: Partial<Job> = {}): Job =>
  ({
    ...newJob({ nonce: BigInt(nonce) }),
    ...{ pageId: null, proof: `0x${"33".repeat(256)}` },
    ...changes,
  }) as Job;
const jobs = (count: number): Job[] =>
  Array.from({ length: count }, (_, nonce) => provenJob(nonce));

describe("what a batch is formed of", () => {
  const waiting = (count: number, oldestMs = 0, versionId = VERSION): Waiting => ({
    ...{ evidence: "proof", ofOne: versionId, jobs: count, oldestMs },
  });
  const form = (lots: readonly Waiting[], size: number, maxAgeMs = 1000): Lot[] =>
    zkmlBatch.form({ waiting: lots, batching: { size, maxAgeMs } });
  const sizes = (lots: readonly Lot[]) => lots.map(({ least, most }) => [least, most]);

  it.each([
    ["less than a batch waits", 3, 999, []],
    ["a full one goes at once", 4, 0, [[4, 4]]],
    [
      "several go",
      9,
      0,
      [
        [4, 4],
        [4, 4],
      ],
    ],
    ["what has waited long enough goes, however little it is", 1, 1000, [[1, 4]]],
    [
      "what is left over goes with it",
      5,
      1000,
      [
        [4, 4],
        [1, 4],
      ],
    ],
    [
      "nothing is left over of full ones",
      8,
      5000,
      [
        [4, 4],
        [4, 4],
      ],
    ],
  ])("%s", (_, count, oldestMs, expected) => {
    expect(sizes(form([waiting(count, oldestMs)], 4))).toEqual(expected);
  });

  it("is one version's, and nobody's that goes alone", () => {
    const other = `0x${"22".repeat(32)}`;
    const lots = form([waiting(2), waiting(1, 0, other), waiting(2, 0, other)], 2);
    expect(lots.map(({ stage, together, versionId }) => [stage, together, versionId])).toEqual([
      [{ state: "proven", evidence: "proof", settleAlone: false }, true, VERSION],
      [{ state: "proven", evidence: "proof", settleAlone: false }, true, other],
    ]);
  });

  it("is nothing where batches are off: every job goes alone", () => {
    expect(form([waiting(99, 99_999)], 1)).toEqual([]);
    const [lot] = zkml.form({ waiting: [], batching: { size: 1, maxAgeMs: 1 } });
    expect(lot).toMatchObject({ stage: { state: "proven" }, together: false });
    expect(lot?.stage.settleAlone).toBeUndefined();
    const [alone] = zkml.form({ waiting: [], batching: { size: 2, maxAgeMs: 1 } });
    expect(alone?.stage.settleAlone).toBe(true);
  });
});

describe("who settles jobs", () => {
  it("is the batch's driver for several of one version and node, and the other one's for one", () => {
    expect(driverFor(jobs(2))).toBe(zkmlBatch);
    expect(driverFor(jobs(1))).toBe(zkml);
    expect(driverFor([provenJob(0, { pageId: `0x${"44".repeat(32)}` })])).toBe(provedAgain);
    const stranger = encodeRequestId({ node: Wallet.createRandom().address, nonce: 1n });
    const mixed = [
      [provenJob(0), provenJob(1, { versionId: `0x${"22".repeat(32)}` })],
      [provenJob(0), provenJob(1, { requestId: stranger })],
      [provenJob(0), provenJob(1, { proof: null })],
      [],
    ];
    for (const group of mixed)
      expect(() => driverFor(group)).toThrow(
        /nothing that zkmlBatch, provedAgain, zkml, page, pageAgain, tee/,
      );
  });

  it("is found by its name again", () => {
    for (const driver of DRIVERS) expect(driverNamed(driver.name)).toBe(driver);
    expect(() => driverNamed("pages")).toThrow(
      /a transaction of the kind pages; this worker knows/,
    );
  });
});

describe("the call of a batch", () => {
  it("names version and node once, and packs the items", async () => {
    const group = jobs(3);
    const settlement = Wallet.createRandom().address;
    const context = { chain: { settlement } } as EncodeContext;
    const { data, to } = await zkmlBatch.encode(group, context);
    expect(to).toBe(settlement);
    const [version, node, items, signature] = settlementInterface.decodeFunctionData(
      "settleZkmlBatch",
      data,
    );
    expect([version, node, signature]).toEqual([VERSION, NODE, "0x"]);
    expect(decodeZkmlBatch({ items, wordCount: 3 })).toHaveLength(3);
    const bytes = getBytes(items);
    const size = 12 + 20 + 32 + 8 + 256 + 32 * 3;
    expect(bytes).toHaveLength(3 * size);
    const last = bytes.subarray(2 * size);
    const at = (from: number, length: number) => hexlify(last.subarray(from, from + length));
    const job = provenJob(2);
    expect(BigInt(at(0, 12))).toBe(2n);
    expect(at(12, 20)).toBe(job.requester);
    expect(BigInt(at(32, 32))).toBe(job.price);
    expect(BigInt(at(64, 8))).toBe(job.timestamp);
    expect(at(72, 256)).toBe(job.proof);
    const words = [0, 1, 2].map((index) => BigInt(at(328 + 32 * index, 32)));
    expect(words).toEqual([...job.inputWords, ...job.outputWords]);
  });
});

describe("why a batch would revert", () => {
  /** What is found where these are invalid, and how often the contract is asked. */
  async function find(count: number, invalid: readonly number[]) {
    let asked = 0;
    const group = jobs(count);
    const found = await zkmlBatch.findInvalid({
      jobs: group,
      wouldRevert: async (some) => {
        asked += 1;
        return some.some(({ nonce }) => invalid.includes(Number(nonce)));
      },
    });
    return { asked, found: found.map(({ nonce }) => Number(nonce)) };
  }

  it.each(Array.from({ length: 8 }, (_, place) => place))(
    "is found at place %i of 8",
    async (place) => {
      const { asked, found } = await find(8, [place]);
      expect(found).toEqual([place]);
      expect(asked).toBe(6);
    },
  );

  it("is found wherever it is, once or often", async () => {
    expect((await find(7, [0, 6])).found).toEqual([0, 6]);
    expect((await find(2, [1])).found).toEqual([1]);
    const all = Array.from({ length: 9 }, (_, place) => place);
    expect((await find(9, all)).found).toEqual(all);
    expect((await find(128, [77])).asked).toBe(14);
  });

  it("is all of it where no part reverts by itself", async () => {
    expect((await find(3, [])).found).toEqual([0, 1, 2]);
  });
});
