import { BlobError } from "@haca/protocol/blobs/blobError";
import type { BlobStore } from "@haca/protocol/blobs/blobStore";
import { decodePageBlob, encodePageBlob } from "@haca/protocol/blobs/pageBlob";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { encodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { type TransactionReceipt, toBeHex, Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { type Chain, pageInterface } from "../src/chain/chain.ts";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import type { Job } from "../src/jobs/job.ts";
import { leaseJobs, ledgerPrefixOf, listWaiting, type Waiting } from "../src/jobs/leases.ts";
import { driverFor } from "../src/roles/settle/kinds/drivers.ts";
import { page } from "../src/roles/settle/kinds/page.ts";
import { pageAgain } from "../src/roles/settle/kinds/pageAgain.ts";
import { tee } from "../src/roles/settle/kinds/tee.ts";
import { makePage } from "../src/roles/settle/pages/makePage.ts";
import { restingStore } from "../src/roles/settle/pages/restingStore.ts";
import { newResult } from "./support/newJob.ts";
import { describeStores } from "./support/stores.ts";

const NODE = Wallet.createRandom().address;
const PAGES = Wallet.createRandom().address;
const resultJob = (nonce: number, changes: Partial<Job> = {}): Job =>
  ({
    ...newResult({ nonce: BigInt(nonce), node: NODE }),
    proof: null,
    pageId: null,
    ...changes,
  }) as Job;
const results = (count: number, from = 0): Job[] =>
  Array.from({ length: count }, (_, index) => resultJob(from + index));

describe("what a page is formed of", () => {
  const waiting = (jobs: number, oldestMs: number, evidence: Waiting["evidence"] = "enclave") => ({
    ...{ evidence, ofOne: "0xaa", jobs, oldestMs },
  });
  const batching = { size: 1, maxAgeMs: 1, page: { size: 4, maxAgeMs: 1_000 } };
  const form = (lots: readonly Waiting[]) =>
    page.form({ waiting: lots, batching }).map(({ least, most, page: prefix, stage }) => ({
      ...{ least, most, prefix, stage },
    }));
  const stage = { state: "proven", evidence: "enclave", settleAlone: false };

  it("is what fills it, or has waited long enough, of one ledger page", () => {
    expect(form([waiting(3, 999)])).toEqual([]);
    const full = { least: 4, most: 4, prefix: "0xaa", stage };
    expect(form([waiting(4, 0)])).toEqual([full]);
    expect(form([waiting(5, 1_000)])).toEqual([full, { ...full, least: 1 }]);
  });

  it("is nothing with a proof, and nothing where pages are off", () => {
    expect(form([waiting(9, 9_999, "proof")])).toEqual([]);
    const off = { size: 1, maxAgeMs: 1 };
    expect(page.form({ waiting: [waiting(9, 9_999)], batching: off })).toEqual([]);
  });

  it("leaves single results to be settled alone, all of them where pages are off", () => {
    const [alone] = tee.form({ waiting: [], batching });
    expect(alone).toMatchObject({ together: false, stage: { evidence: "enclave" } });
    expect(alone?.stage.settleAlone).toBe(true);
    const [any] = tee.form({ waiting: [], batching: { size: 1, maxAgeMs: 1 } });
    expect(any?.stage.settleAlone).toBeUndefined();
    expect(pageAgain.form({ waiting: [], batching })).toEqual([]);
  });
});

describe("who settles results of enclaves", () => {
  it("is the page's driver for several of one ledger page, and the single one's for one", () => {
    expect(driverFor(results(256))).toBe(page);
    expect(driverFor(results(2, 254))).toBe(page);
    expect(driverFor(results(1))).toBe(tee);
    expect(driverFor([resultJob(0, { pageId: "0x01" })])).toBe(pageAgain);
    const nobodys = [
      results(2, 255),
      [resultJob(0), resultJob(1, { pageId: "0x01" })],
      [resultJob(0), resultJob(1, { enclave: undefined, proof: "0x33" })],
    ];
    for (const jobs of nobodys) expect(() => driverFor(jobs)).toThrow(/nothing that/);
  });

  it("never takes what the contract refuses of a page for a verdict on a result", () => {
    for (const revert of ["PageSettlement_DepositTooSmall", "PageSettlement_Paused", "unknown"]) {
      expect(page.undo("wouldRevert", revert)).toBe("together");
      expect(page.undo("reverted", revert)).toBe("together");
    }
    expect(page.undo("wouldRevert", "PageSettlement_NothingToTake")).toBe("apart");
    expect(page.undo("unsettled")).toBe("apart");
  });
});

describe("the page over jobs", () => {
  const domain = settlementDomain({ chainId: 1n, settlement: PAGES });

  it("is the same in whatever order they come, and what its blob says", () => {
    const jobs = results(3, 510).map((job) => ({ ...job }));
    const made = makePage({ jobs: jobs.slice(0, 2), domain });
    const turned = makePage({ jobs: jobs.slice(0, 2).reverse(), domain });
    const blob = encodePageBlob(made);
    expect(Buffer.from(encodePageBlob(turned)).equals(blob)).toBe(true);
    expect(decodePageBlob(blob)).toMatchObject({ node: NODE.toLowerCase(), page: 1n });
    expect([made.page, made.bitmap]).toEqual([1n, 3n << 254n]);
  });

  it("takes what the event says that it took, and nothing where there is no event", () => {
    const chain = { pageSettlement: PAGES } as Chain;
    const ledgerPage = ledgerPageOf({ node: NODE, index: 1n });
    const values = [2n, toBeHex(9, 32), 5n, toBeHex(1, 32), toBeHex(2, 32), 0n, 77n];
    const log = pageInterface.encodeEventLog("PageProposed", [
      ...[toBeHex(3, 32), ledgerPage, NODE],
      ...values,
    ]);
    const receipt = (address: string) =>
      ({ logs: [{ address, ...log }] }) as unknown as TransactionReceipt;
    const { page: proposed, requests } = page.follow({ receipt: receipt(PAGES), chain });
    const idOf = (nonce: bigint) => encodeRequestId({ node: NODE, nonce });
    expect([...requests]).toEqual([idOf(256n), idOf(258n)]);
    expect(proposed).toMatchObject({ endsAt: 77n, header: { bitmap: 5n, ledgerPage } });
    const foreign = page.follow({ receipt: receipt(NODE), chain });
    expect([foreign.page, foreign.requests.size]).toEqual([undefined, 0]);
  });
});

describe("a store that has failed", () => {
  it("is left alone for a while, longer each time, and forgotten about when it works", async () => {
    let [now, asked, isBroken] = [0, 0, true];
    const inner: BlobStore = {
      async put() {
        asked += 1;
        if (isBroken) throw new BlobError({ code: "blob.unreachable", message: "away" });
        return { id: "id", isNew: true };
      },
      read: async () => {
        throw new Error("the disk is broken");
      },
    };
    const store = restingStore(inner, () => now);
    const put = () => store.put({ bytes: new Uint8Array() });
    await expect(put()).rejects.toThrow("away");
    await expect(put()).rejects.toThrow("left alone for a while after a failure: away");
    expect(asked).toBe(1);
    // Beyond any rest.
    now += 120_000;
    isBroken = false;
    await put();
    await put();
    expect(asked).toBe(3);
    // What is no failure of the store passes.
    await expect(store.read({ id: "id", check: () => 1 })).rejects.toThrow("the disk is broken");
    await put();
  });
});

describeStores("results that wait", (store) => {
  const owner = "me";
  const accept = (nonces: readonly number[], settleAlone = false) =>
    acceptResults({
      database: store.database,
      jobs: nonces.map((nonce) => ({
        ...newResult({ nonce: BigInt(nonce), node: NODE }),
        settleAlone,
      })),
      check: () => undefined,
    });
  const claims = { from: 0, to: 9 };
  const lease = (changes: object) =>
    leaseJobs({
      ...{ database: store.database, owner, limit: 99, leaseSeconds: 60, claims },
      stage: { state: "proven" },
      ...changes,
    }).then((jobs) => jobs.map(({ nonce }) => Number(nonce)));

  it("are counted and leased by ledger page, without those that go alone", async () => {
    await accept([255, 254, 256]);
    await accept([257], true);
    const prefix = (nonce: bigint) => ledgerPrefixOf(encodeRequestId({ node: NODE, nonce }));
    const found = await listWaiting({ database: store.database, owner, claims });
    expect(found.map(({ evidence, jobs, ofOne }) => [evidence, ofOne, jobs])).toEqual([
      ["enclave", prefix(0n), 2],
      ["enclave", prefix(256n), 1],
    ]);
    expect(await lease({ page: prefix(0n) })).toEqual([254, 255]);
    const stage = { state: "proven", evidence: "proof" };
    expect(await lease({ stage })).toEqual([]);
    expect(await lease({ stage: { ...stage, evidence: "enclave", settleAlone: true } })).toEqual([
      257,
    ]);
  });

  it("are all stored, or none where one is refused; what is there stays as it is", async () => {
    await accept([1]);
    const { signature } = newResult({ nonce: 1n, node: NODE });
    const refused = acceptResults({
      database: store.database,
      jobs: [1, 2].map((nonce) => ({
        ...newResult({ nonce: BigInt(nonce), node: NODE }),
        ...{ settleAlone: true, signature: "0xff" },
      })),
      check(there) {
        expect(there.size).toBe(1);
        throw new Error("another result");
      },
    });
    await expect(refused).rejects.toThrow("another result");
    const rows = await store.database.query("SELECT signature, settle_alone FROM jobs");
    expect(rows).toEqual([{ signature, settle_alone: false }]);
  });

  it("cannot be stored as proven without evidence, or with two kinds of it", async () => {
    await accept([1]);
    const set = (sql: string) => store.database.query(`UPDATE jobs SET ${sql}`);
    for (const sql of [
      "tee_id = NULL",
      "tee_id = NULL, input_hash = NULL, output_hash = NULL",
      "proof = '0x33'",
      "state = 'pending'",
    ]) {
      await expect(set(sql), sql).rejects.toThrow(/violates check constraint/);
    }
  });
});
