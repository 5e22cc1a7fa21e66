import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { acceptJob, claimIdentity, skipRequestNonces } from "../src/jobs/acceptJob.ts";
import { finaliseSettled, listSettledBlocks, reopenSettled } from "../src/jobs/finality.ts";
import type { Job } from "../src/jobs/job.ts";
import {
  leaseJobs,
  listWaiting,
  releaseAllLeases,
  releaseJobs,
  renewLease,
  type Stage,
} from "../src/jobs/leases.ts";
import { recordFailure, recordProof } from "../src/jobs/proofs.ts";
import { countJobs, readJob } from "../src/jobs/readJobs.ts";
import {
  recordBroadcast,
  recordExternalSettlement,
  recordSettlement,
  recordUndone,
  setApart,
} from "../src/jobs/settlements.ts";
import { leaseTransactions, releaseTransaction } from "../src/jobs/transactionLeases.ts";
import { dropTransaction, recordTransaction } from "../src/jobs/transactions.ts";
import type { Database } from "../src/storage/database.ts";
import { newJob } from "./support/newJob.ts";
import { describeStores, IDENTITY } from "./support/stores.ts";

const PROOF = `0x${"33".repeat(256)}`;
let database: Database;

async function accept(versionId?: string): Promise<Job> {
  const { requestId } = await acceptJob({
    database,
    create: async (nonce) => newJob({ nonce, ...(versionId === undefined ? {} : { versionId }) }),
  });
  return await read(requestId);
}

async function read(requestId: string): Promise<Job> {
  const job = await readJob({ database, requestId });
  if (job === undefined) throw new Error(`no job ${requestId}`);
  return job;
}

const prove = (job: Job): Promise<boolean> =>
  recordProof({
    database,
    requestId: job.requestId,
    proof: PROOF,
    timings: { witnessMs: 1, proveMs: 2 },
  });

const sign = (job: Job, chainNonce = 0) =>
  recordTransaction({
    database,
    requestIds: [job.requestId],
    kind: "zkml",
    chainNonce,
    sign: async (nonce) => ({ hash: `hash of ${nonce}`, raw: `raw ${nonce}` }),
  });

/** Returns whether the job moved on. */
const broadcast = async (job: Job, transactionHash: string): Promise<boolean> =>
  (await recordBroadcast({ database, transactionHash })).includes(job.requestId);

const settle = async (job: Job, hash: string, blockNumber = 10): Promise<boolean> => {
  const moved = await recordSettlement({
    database,
    requestIds: [job.requestId],
    mined: { hash, blockNumber, blockHash: `block ${blockNumber}`, gasUsed: 250_000n },
  });
  return moved.length === 1;
};

const fail = (job: Job, from: "accepted" | "proven" | "submitted"): Promise<boolean> =>
  recordFailure({ database, requestId: job.requestId, from, code: "test.failed", message: "why" });

const lease = (stage: Stage, limit = 10, versionIds?: readonly string[]): Promise<Job[]> =>
  leaseJobs({
    database,
    owner: "me",
    stage,
    limit,
    leaseSeconds: 60,
    ...(versionIds === undefined ? {} : { versionIds }),
  });

/** A lease by somebody new, whom every other lease keeps out. */
const leaseElsewhere = (stage: Stage): Promise<Job[]> =>
  leaseJobs({ database, owner: randomUUID(), stage, limit: 10, leaseSeconds: 60 });

const ACCEPTED: Stage = { state: "accepted" };

describeStores("queue", (store) => {
  beforeAll(() => {
    database = store.database;
  });
  describe("acceptJob", () => {
    it("stores every field", async () => {
      const job = await accept();
      expect(job).toMatchObject({ ...newJob({ nonce: 0n }), state: "accepted", attempts: 0 });
      expect(job.times.accepted).toBeInstanceOf(Date);
    });

    it("gives nonces in order", async () => {
      expect([(await accept()).nonce, (await accept()).nonce, (await accept()).nonce]).toEqual([
        0n,
        1n,
        2n,
      ]);
    });

    it("uses no nonce up where the job cannot be made", async () => {
      const broken = acceptJob({
        database,
        create: async () => {
          throw new Error("no job");
        },
      });
      await expect(broken).rejects.toThrow("no job");
      expect((await accept()).nonce).toBe(0n);
    });

    it("stores what comes at once together, and leaves out what cannot be made", async () => {
      let transactions = 0;
      const counting: Database = {
        ...database,
        transaction: (operation) => {
          transactions += 1;
          return database.transaction(operation);
        },
      };
      const made = await Promise.allSettled(
        Array.from({ length: 9 }, (_, place) =>
          acceptJob({
            database: counting,
            async create(nonce) {
              if (place === 4) throw new Error("no job");
              // Words of another number each, for they are stored as lists of lists.
              return { ...newJob({ nonce }), inputWords: [1n, 2n, 3n].slice(0, place % 4) };
            },
          }),
        ),
      );
      const jobs = made.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(jobs.map(({ nonce }) => nonce)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]);
      expect(made[4]).toMatchObject({ status: "rejected", reason: { message: "no job" } });
      expect(transactions).toBe(2);
      for (const job of jobs) expect(await read(job.requestId)).toMatchObject(job);
      expect((await accept()).nonce).toBe(8n);
    });

    it("stores more at once than share a transaction", async () => {
      const many = Array.from({ length: 200 }, () => accept());
      const nonces = (await Promise.all(many)).map(({ nonce }) => nonce);
      expect(nonces).toEqual(Array.from({ length: 200 }, (_, place) => BigInt(place)));
    });

    it("tells everybody whose job went down with a transaction, and goes on", async () => {
      let broken = true;
      const breaking: Database = {
        ...database,
        transaction: (operation) =>
          database.transaction(async (tx) => {
            const result = await operation(tx);
            if (broken) throw new Error("the database is away");
            return result;
          }),
      };
      const attempt = () =>
        acceptJob({ database: breaking, create: async (nonce) => newJob({ nonce }) });
      const failed = await Promise.allSettled([attempt(), attempt(), attempt()]);
      for (const one of failed) {
        expect(one).toMatchObject({ reason: { message: "the database is away" } });
      }
      broken = false;
      expect((await Promise.all([attempt(), attempt()])).map(({ nonce }) => nonce)).toEqual([
        0n,
        1n,
      ]);
    });

    it("goes on after skipped nonces, and never goes back", async () => {
      expect(await skipRequestNonces({ database, minimum: 512n })).toBe(512n);
      expect(await skipRequestNonces({ database, minimum: 5n })).toBe(512n);
      expect((await accept()).nonce).toBe(512n);
    });
  });

  describe("transitions", () => {
    it("go from accepted to settled, each exactly once", async () => {
      const job = await accept();
      expect([await prove(job), await prove(job)]).toEqual([true, false]);
      const transaction = await sign(job);
      expect(transaction).toMatchObject({ hash: "hash of 0", nonce: 0, raw: "raw 0" });
      expect(await sign(job)).toBeUndefined();
      expect(await read(job.requestId)).toMatchObject({
        state: "proven",
        transaction: { raw: "raw 0", silentMs: null },
      });
      expect([await broadcast(job, "hash of 0"), await broadcast(job, "hash of 0")]).toEqual([
        true,
        false,
      ]);
      expect([await settle(job, "hash of 0"), await settle(job, "hash of 0")]).toEqual([
        true,
        false,
      ]);
      const settled = await read(job.requestId);
      expect(settled).toMatchObject({
        state: "settled",
        proof: PROOF,
        timings: { witnessMs: 1, proveMs: 2 },
        transaction: { blockNumber: 10, blockHash: "block 10", gasUsed: 250_000n },
      });
      for (const state of ["accepted", "proven", "submitted", "settled"] as const) {
        expect(settled.times[state]).toBeInstanceOf(Date);
      }
    });

    it("never skip a state", async () => {
      const job = await accept();
      expect(await sign(job)).toBeUndefined();
      expect(await broadcast(job, "hash of 0")).toBe(false);
      expect(await settle(job, "hash of 0")).toBe(false);
      await prove(job);
      expect(await settle(job, "hash of 0")).toBe(false);
      expect((await read(job.requestId)).state).toBe("proven");
    });

    it("never leave failed or settled", async () => {
      const job = await accept();
      expect(await fail(job, "proven")).toBe(false);
      expect([await fail(job, "accepted"), await fail(job, "accepted")]).toEqual([true, false]);
      expect(await prove(job)).toBe(false);
      expect(await read(job.requestId)).toMatchObject({
        state: "failed",
        failure: { code: "test.failed", message: "why" },
      });

      const other = await accept();
      await prove(other);
      await sign(other);
      await broadcast(other, "hash of 0");
      await settle(other, "hash of 0");
      for (const from of ["accepted", "proven", "submitted"] as const) {
        expect(await fail(other, from)).toBe(false);
      }
      expect((await read(other.requestId)).state).toBe("settled");
    });

    it("ignore a transaction that is not the job's own", async () => {
      const [job, other] = [await accept(), await accept()];
      await prove(job);
      await prove(other);
      await sign(job);
      await sign(other);
      expect(await broadcast(job, "hash of 1")).toBe(false);
      expect((await read(job.requestId)).state).toBe("proven");
    });
  });

  describe("transaction nonces", () => {
    it("are the chain's first, then the queue's own", async () => {
      const jobs = [await accept(), await accept(), await accept()];
      const nonces: (number | undefined)[] = [];
      for (const job of jobs) {
        await prove(job);
        nonces.push((await sign(job, 7))?.nonce);
      }
      expect(nonces).toEqual([7, 8, 9]);
    });

    it("are not used up by a transaction that could not be recorded", async () => {
      const [job, other] = [await accept(), await accept()];
      await sign(job);
      await prove(other);
      expect((await sign(other))?.nonce).toBe(0);
    });

    it("are given again where another transaction of the account took one", async () => {
      const job = await accept();
      await prove(job);
      await sign(job);
      await broadcast(job, "hash of 0");
      const drop = () => dropTransaction({ database, transactionHash: "hash of 0" });
      expect([await drop(), await drop()]).toEqual([1, 0]);
      expect(await read(job.requestId)).toMatchObject({ state: "proven", transaction: null });
      expect((await sign(job, 1))?.nonce).toBe(1);
    });
  });

  describe("a transaction of several jobs", () => {
    const group = async (count: number): Promise<Job[]> => {
      const jobs: Job[] = [];
      for (let i = 0; i < count; i++) {
        const job = await accept();
        await prove(job);
        jobs.push(job);
      }
      return jobs;
    };
    const idsOf = (jobs: readonly Job[]) => jobs.map(({ requestId }) => requestId);
    const signAll = (jobs: readonly Job[]) =>
      recordTransaction({
        database,
        requestIds: idsOf(jobs),
        kind: "zkmlBatch",
        chainNonce: 0,
        sign: async (nonce) => ({ hash: `hash of ${nonce}`, raw: `raw ${nonce}` }),
      });
    const transactionHash = "hash of 0";
    const states = async (jobs: readonly Job[]) =>
      await Promise.all(jobs.map(async ({ requestId }) => (await read(requestId)).state));

    it("is tied to all of them, or to none and uses no nonce", async () => {
      const jobs = await group(3);
      const unproven = await accept();
      expect(await signAll([...jobs, unproven])).toBeUndefined();
      expect((await signAll(jobs))?.nonce).toBe(0);
      expect(await signAll(jobs.slice(0, 1))).toBeUndefined();
      expect(await recordBroadcast({ database, transactionHash })).toHaveLength(3);
      expect(await states(jobs)).toEqual(["submitted", "submitted", "submitted"]);
    });

    it("is signed by one of several workers that have formed it", async () => {
      const jobs = await group(4);
      const halves = [jobs.slice(0, 2), jobs.slice(2)];
      const race = await Promise.all([jobs, ...halves, jobs].map((some) => signAll(some)));
      const nonces = race.flatMap((won) => (won === undefined ? [] : [won.nonce]));
      expect(nonces.sort()).toEqual(nonces.map((_, index) => index));
      const carried = await database.query("SELECT request_id FROM transaction_jobs");
      expect(carried.map(({ request_id }) => request_id).sort()).toEqual(idsOf(jobs));
    });

    it("settles those that it has settled; the rest go on, each alone", async () => {
      const jobs = await group(3);
      await signAll(jobs);
      await recordBroadcast({ database, transactionHash });
      const [own, elsewhere, rest] = jobs;
      if (own === undefined || elsewhere === undefined || rest === undefined) throw new Error();
      expect(await settle(own, transactionHash)).toBe(true);
      await recordExternalSettlement({ database, requestId: elsewhere.requestId, head: 11 });
      const undo = () =>
        recordUndone({
          ...{ database, requestIds: idsOf(jobs), transactionHash, reason: "why" },
          apart: true,
        });
      expect([await undo(), await undo()]).toEqual([[rest.requestId], []]);
      expect(await states(jobs)).toEqual(["settled", "settled", "proven"]);
      expect(await read(rest.requestId)).toMatchObject({ transaction: null, lastError: "why" });
      expect(await listWaiting({ database, owner: "me", claims: { from: 0, to: 9 } })).toEqual([]);
      expect(await lease({ state: "proven", settleAlone: true })).toHaveLength(1);
      // Not given up: it was mined.
      expect(await reopenSettled({ database, transactionHash })).toEqual([own.requestId]);
    });

    it("is given up when the last of them is settled elsewhere, and not before", async () => {
      const jobs = await group(2);
      await signAll(jobs);
      await recordBroadcast({ database, transactionHash });
      const dropped = async () => {
        const [row] = await database.query("SELECT dropped_at FROM transactions");
        return row?.dropped_at !== null;
      };
      const seen: boolean[] = [];
      for (const { requestId } of jobs) {
        await recordExternalSettlement({ database, requestId, head: 11 });
        seen.push(await dropped());
      }
      expect(seen).toEqual([false, true]);
    });

    it("goes back with all of them where its nonce is taken, or its block is gone", async () => {
      const jobs = await group(2);
      await signAll(jobs);
      await recordBroadcast({ database, transactionHash });
      const mined = { hash: transactionHash, blockNumber: 1, blockHash: "block", gasUsed: 1n };
      await recordSettlement({ database, requestIds: idsOf(jobs), mined });
      expect((await reopenSettled({ database, transactionHash })).sort()).toEqual(idsOf(jobs));
      expect(await states(jobs)).toEqual(["submitted", "submitted"]);
      expect(await dropTransaction({ database, transactionHash })).toBe(2);
      expect(await states(jobs)).toEqual(["proven", "proven"]);
      expect((await signAll(jobs))?.nonce).toBe(1);
    });

    it("is worked on by one worker at a time, with all of them", async () => {
      const jobs = await group(2);
      await signAll(jobs);
      const leaseBy = (owner: string, state: "proven" | "submitted" = "proven") =>
        leaseTransactions({
          ...{ database, owner, state, limit: 9, leaseSeconds: 60 },
          claims: { from: 0, to: 9 },
        });
      const [leased] = await leaseBy("me");
      expect(leased?.jobs.map(({ requestId }) => requestId)).toEqual(idsOf(jobs));
      expect(leased?.kind).toBe("zkmlBatch");
      expect(await leaseBy("somebody")).toEqual([]);
      expect(await leaseBy("me", "submitted")).toEqual([]);
      const id = leased?.id ?? "";
      await releaseTransaction({ database, owner: "somebody", id });
      expect(await leaseBy("somebody")).toEqual([]);
      await releaseTransaction({ database, owner: "me", id, error: "broken", delaySeconds: 60 });
      expect(await leaseBy("somebody")).toEqual([]);
      for (const { requestId } of jobs) expect((await read(requestId)).lastError).toBe("broken");
      await database.query("UPDATE transactions SET run_after = now()");
      expect(await leaseBy("somebody")).toHaveLength(1);
    });
  });

  describe("jobs that wait for each other", () => {
    const waiting = (owner = "me") =>
      listWaiting({ database, owner, claims: { from: 0, to: 1 } }).then((found) =>
        found.map(({ jobs, ofOne }) => [ofOne, jobs]),
      );

    it("are counted by version, without those that somebody has or that go alone", async () => {
      for (const versionId of ["0xaa", "0xbb", "0xbb", "0xbb"]) {
        await prove(await accept(versionId));
      }
      expect(await waiting()).toEqual([
        ["0xaa", 1],
        ["0xbb", 3],
      ]);
      const [held] = await lease({ state: "proven" }, 1, ["0xbb"]);
      expect(await waiting("somebody")).toEqual([
        ["0xaa", 1],
        ["0xbb", 2],
      ]);
      expect(await waiting("me")).toHaveLength(2);
      const requestIds = [held?.requestId ?? ""];
      const apart = () => setApart({ database, requestIds, reason: "why" });
      expect([await apart(), await apart()]).toEqual([requestIds, []]);
      expect(await waiting("me")).toEqual([
        ["0xaa", 1],
        ["0xbb", 2],
      ]);
    });

    it("have waited since the first was proven, by the database's clock", async () => {
      await prove(await accept());
      await prove(await accept());
      await database.query(
        "UPDATE jobs SET proven_at = now() - interval '90 seconds' WHERE nonce = 0",
      );
      const [found] = await listWaiting({ database, owner: "me", claims: { from: 0, to: 1 } });
      expect(found?.jobs).toBe(2);
      expect(found?.oldestMs).toBeGreaterThanOrEqual(90_000);
    });
  });

  describe("settled by somebody else", () => {
    it("ends a proven job, once", async () => {
      const job = await accept();
      const record = () =>
        recordExternalSettlement({ database, requestId: job.requestId, head: 7 });
      expect(await record()).toBe(false);
      await prove(job);
      expect([await record(), await record()]).toEqual([true, false]);
      expect(await read(job.requestId)).toMatchObject({ state: "settled", transaction: null });
    });
  });

  describe("reorganisations", () => {
    it("take a settled job back to submitted, until it is final", async () => {
      const job = await accept();
      await prove(job);
      await sign(job);
      await broadcast(job, "hash of 0");
      await settle(job, "hash of 0", 10);
      expect(await listSettledBlocks({ database })).toEqual([{ number: 10, hash: "block 10" }]);
      const reopen = () => reopenSettled({ database, transactionHash: "hash of 0" });
      expect([await reopen(), await reopen()]).toEqual([[job.requestId], []]);
      expect(await read(job.requestId)).toMatchObject({
        state: "submitted",
        transaction: { raw: "raw 0", blockNumber: null, silentMs: null },
      });
      await settle(job, "hash of 0", 11);
      await finaliseSettled({ database, upToBlock: 10 });
      expect(await listSettledBlocks({ database })).toHaveLength(1);
      await finaliseSettled({ database, upToBlock: 11 });
      expect(await listSettledBlocks({ database })).toEqual([]);
      expect(await reopen()).toEqual([]);
    });
  });

  describe("leases", () => {
    it("are exclusive, in order of nonces, and limited", async () => {
      const jobs = [await accept(), await accept(), await accept()];
      expect((await lease(ACCEPTED, 2)).map(({ nonce }) => nonce)).toEqual([0n, 1n]);
      expect((await leaseElsewhere(ACCEPTED)).map(({ nonce }) => nonce)).toEqual([2n]);
      expect(await leaseElsewhere(ACCEPTED)).toEqual([]);
      const [first] = jobs;
      await releaseJobs({ database, owner: "me", requestIds: [first?.requestId ?? ""] });
      expect(await leaseElsewhere(ACCEPTED)).toHaveLength(1);
    });

    it("are released by their owner only", async () => {
      const { requestId } = await accept();
      await lease(ACCEPTED);
      await releaseJobs({ database, owner: "somebody else", requestIds: [requestId] });
      expect(await leaseElsewhere(ACCEPTED)).toEqual([]);
      await releaseAllLeases({ database });
      expect(await leaseElsewhere(ACCEPTED)).toHaveLength(1);
    });

    it("do not keep their own owner out, who could not give them back", async () => {
      await accept();
      await lease(ACCEPTED);
      expect(await lease(ACCEPTED)).toHaveLength(1);
    });

    it("end by themselves unless renewed", async () => {
      const { requestId } = await accept();
      await lease(ACCEPTED);
      await database.query("UPDATE jobs SET leased_until = now() - interval '1 second'");
      await renewLease({ database, owner: "me", requestId, leaseSeconds: 60 });
      expect(await leaseElsewhere(ACCEPTED)).toEqual([]);
      await database.query("UPDATE jobs SET leased_until = now() - interval '1 second'");
      expect(await leaseElsewhere(ACCEPTED)).toHaveLength(1);
    });

    it("rest after an error", async () => {
      const { requestId } = await accept();
      await lease(ACCEPTED);
      await releaseJobs({
        database,
        owner: "me",
        requestIds: [requestId],
        error: "broken",
        delaySeconds: 60,
        countsAsAttempt: true,
      });
      expect(await leaseElsewhere(ACCEPTED)).toEqual([]);
      expect(await read(requestId)).toMatchObject({ attempts: 1, lastError: "broken" });
      await database.query("UPDATE jobs SET run_after = now()");
      expect(await lease(ACCEPTED)).toHaveLength(1);
    });

    it("keep to the stage and to the versions asked for", async () => {
      const [job, other] = [await accept("0xaa"), await accept("0xbb")];
      expect(await lease(ACCEPTED, 10, ["0xcc"])).toEqual([]);
      const leased = await lease(ACCEPTED, 10, ["0xbb"]);
      expect(leased.map(({ requestId }) => requestId)).toEqual([other?.requestId]);
      await prove(job);
      expect(await lease({ state: "proven", settleAlone: true })).toEqual([]);
      expect(await lease({ state: "proven", settleAlone: false })).toHaveLength(1);
      expect(await lease({ state: "proven" })).toHaveLength(1);
      await sign(job);
      expect(await lease({ state: "proven" })).toEqual([]);
    });
  });

  describe("countJobs", () => {
    it("counts by state and by reason", async () => {
      const jobs = [await accept(), await accept(), await accept()];
      for (const job of jobs.slice(1)) await fail(job, "accepted");
      expect(await countJobs({ database })).toEqual({
        states: { accepted: 1, proven: 0, submitted: 0, pending: 0, settled: 0, failed: 2 },
        failures: { "test.failed": 2 },
      });
    });
  });

  describe("claimIdentity", () => {
    it.each([
      ["chainId", { chainId: 1n }, /chain id 31337, this worker serves 1\b/],
      ["genesisHash", { genesisHash: "0xff" }, /genesis hash 0x01, this worker serves 0xff/],
      ["settlement", { settlement: "0xff" }, /settlement 0x02, this worker serves 0xff/],
      ["node", { node: "0xff" }, /node 0x7099.*, this worker serves 0xff/],
    ])("refuses a queue of another %s", async (_, change, message) => {
      const identity = { ...IDENTITY, ...change };
      await expect(claimIdentity({ database, identity })).rejects.toThrow(message);
      await claimIdentity({ database, identity: IDENTITY });
    });
  });
});
