import { describe, expect, it } from "vitest";
import { acceptJob } from "../src/jobs/acceptJob.ts";
import { decideExternalSettled, listExternalSettled } from "../src/jobs/finality.ts";
import {
  countOpen,
  findGap,
  listAttempts,
  listOpenTransactions,
} from "../src/jobs/openTransactions.ts";
import { recordProof } from "../src/jobs/proofs.ts";
import { readJob } from "../src/jobs/readJobs.ts";
import {
  recordBroadcast,
  recordExternalSettlement,
  recordSettlement,
} from "../src/jobs/settlements.ts";
import {
  dropTransaction,
  promoteAttempt,
  recordFiller,
  recordMined,
  recordReplacement,
  recordSent,
  recordSigned,
  recordTransaction,
} from "../src/jobs/transactions.ts";
import type { Database } from "../src/storage/database.ts";
import { newJob } from "./support/newJob.ts";
import { describeStores } from "./support/stores.ts";

const PROOF = `0x${"33".repeat(256)}`;
const sign = async (nonce: number) => ({ hash: `hash of ${nonce}`, raw: `raw ${nonce}` });

async function provenJob(database: Database): Promise<string> {
  const { requestId } = await acceptJob({ database, create: async (nonce) => newJob({ nonce }) });
  const timings = { witnessMs: 1, proveMs: 2 };
  await recordProof({ database, requestId, proof: PROOF, timings });
  return requestId;
}

/** A job whose transaction has nonce `chainNonce` or a later one, and was sent. */
async function submittedJob(database: Database, chainNonce = 0) {
  const requestId = await provenJob(database);
  const transaction = await recordTransaction({
    database,
    requestIds: [requestId],
    kind: "zkml",
    chainNonce,
    sign,
  });
  if (transaction === undefined) throw new Error("no transaction");
  await recordBroadcast({ database, transactionHash: transaction.hash });
  return { requestId, nonce: transaction.nonce, hash: transaction.hash };
}

const send = (database: Database, chainNonce: number, purpose = "heartbeat") =>
  database.transaction((tx) => recordSigned({ tx, chainNonce, purpose, sign }));

describeStores("attempts", (store) => {
  describe("a nonce", () => {
    it("is given once, however many ask at once and whatever the endpoint says", async () => {
      const { database } = store;
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) ids.push(await provenJob(database));
      const given = await Promise.all([
        ...ids.map((requestId, index) =>
          recordTransaction({
            database,
            requestIds: [requestId],
            kind: "zkml",
            chainNonce: index % 3,
            sign,
          }),
        ),
        ...[0, 1, 2].map((chainNonce) => send(database, chainNonce)),
      ]);
      const nonces = given.map((transaction) => transaction?.nonce ?? -1).sort((a, b) => a - b);
      expect(nonces).toEqual(Array.from({ length: 15 }, (_, index) => index));
    });

    it("that another sender skipped is given next", async () => {
      const { database } = store;
      await submittedJob(database, 5);
      expect((await send(database, 3)).nonce).toBe(3);
      expect((await send(database, 3)).nonce).toBe(4);
      expect((await send(database, 3)).nonce).toBe(6);
    });

    it("that another took is not given again, though the endpoint lags", async () => {
      const { database } = store;
      const { hash } = await submittedJob(database);
      await dropTransaction({ database, transactionHash: hash });
      expect((await send(database, 0)).nonce).toBe(1);
    });
  });

  describe("a replacement", () => {
    const replacement = { hash: "second", raw: "raw second" };

    it("becomes the job's transaction; the one before can still be mined", async () => {
      const { database } = store;
      const { hash, nonce, requestId } = await submittedJob(database);
      expect(await recordReplacement({ database, replaced: hash, replacement })).toBe(true);
      expect(await readJob({ database, requestId })).toMatchObject({
        state: "submitted",
        transaction: { hash: "second", nonce, silentMs: null },
      });
      const attempts = await listAttempts({ database, nonce });
      expect(attempts.map((attempt) => attempt.hash)).toEqual(["second", hash]);
    });

    it("is recorded by one of several workers", async () => {
      const { database } = store;
      const { hash, nonce } = await submittedJob(database);
      const race = await Promise.all(
        ["a", "b", "c"].map((name) =>
          recordReplacement({ database, replaced: hash, replacement: { hash: name, raw: name } }),
        ),
      );
      expect(race.filter((won) => won)).toHaveLength(1);
      expect(await listAttempts({ database, nonce })).toHaveLength(2);
    });

    it("is refused for a transaction that was mined or dropped", async () => {
      const { database } = store;
      const first = await submittedJob(database);
      const mined = { hash: first.hash, blockNumber: 1, blockHash: "block", gasUsed: 1n };
      await recordSettlement({ database, requestIds: [first.requestId], mined });
      expect(await recordReplacement({ database, replaced: first.hash, replacement })).toBe(false);
      const second = await submittedJob(database);
      await dropTransaction({ database, transactionHash: second.hash });
      expect(await recordReplacement({ database, replaced: second.hash, replacement })).toBe(false);
    });

    it("gives way where the one before is mined after all", async () => {
      const { database } = store;
      const { hash, requestId } = await submittedJob(database);
      await recordReplacement({ database, replaced: hash, replacement });
      for (let i = 0; i < 2; i++) await promoteAttempt({ database, hash });
      const mined = { hash, blockNumber: 1, blockHash: "block", gasUsed: 1n };
      expect(await recordSettlement({ database, requestIds: [requestId], mined })).toEqual([
        requestId,
      ]);
      expect(await readJob({ database, requestId })).toMatchObject({
        state: "settled",
        transaction: { hash, blockNumber: 1 },
      });
    });

    it("of a transaction that was not sent yet becomes its job's too", async () => {
      const { database } = store;
      const requestId = await provenJob(database);
      const first = await recordTransaction({
        database,
        requestIds: [requestId],
        kind: "zkml",
        chainNonce: 0,
        sign,
      });
      await recordReplacement({ database, replaced: first?.hash ?? "", replacement });
      expect(await readJob({ database, requestId })).toMatchObject({
        state: "proven",
        transaction: { hash: "second" },
      });
      const transactionHash = "second";
      expect(await recordBroadcast({ database, transactionHash })).toEqual([requestId]);
    });

    it("that was replaced itself settles the job where it is the one that is mined", async () => {
      const { database } = store;
      const { hash, requestId } = await submittedJob(database);
      await recordReplacement({ database, replaced: hash, replacement });
      const third = { hash: "third", raw: "raw third" };
      await recordReplacement({ database, replaced: "second", replacement: third });
      expect(await listOpenTransactions({ database })).toEqual([]);
      await promoteAttempt({ database, hash: "second" });
      const mined = { hash: "second", blockNumber: 1, blockHash: "block", gasUsed: 1n };
      expect(await recordSettlement({ database, requestIds: [requestId], mined })).toEqual([
        requestId,
      ]);
    });

    it("goes with every other attempt where another transaction took the nonce", async () => {
      const { database } = store;
      const { hash, nonce, requestId } = await submittedJob(database);
      await recordReplacement({ database, replaced: hash, replacement });
      expect(await dropTransaction({ database, transactionHash: "second" })).toBe(1);
      expect(await listAttempts({ database, nonce })).toEqual([]);
      expect((await readJob({ database, requestId }))?.transaction).toBeNull();
    });
  });

  describe("a nonce gap", () => {
    it("is one where the first open transaction lies behind it for long", async () => {
      const { database } = store;
      expect(await findGap({ database, nonce: 3, patienceMs: 0 })).toBe(false);
      await submittedJob(database, 5);
      expect(await findGap({ database, nonce: 3, patienceMs: 0 })).toBe(true);
      expect(await findGap({ database, nonce: 3, patienceMs: 3_600_000 })).toBe(false);
      expect(await findGap({ database, nonce: 5, patienceMs: 0 })).toBe(false);
    });

    it("is not hidden by what is sent again, replaced or signed meanwhile", async () => {
      const { database } = store;
      const { hash } = await submittedJob(database, 5);
      await database.query("UPDATE attempts SET signed_at = now() - interval '1 hour'");
      await recordSent({ database, hash });
      const replacement = { hash: "second", raw: "raw second" };
      await recordReplacement({ database, replaced: hash, replacement });
      await submittedJob(database, 6);
      expect(await findGap({ database, nonce: 3, patienceMs: 1_800_000 })).toBe(true);
    });

    it("is filled once, by nothing that has the nonce already", async () => {
      const { database } = store;
      const fill = (nonce: number, hash: string) =>
        recordFiller({ database, nonce, hash, raw: hash });
      const race = await Promise.all([fill(3, "a"), fill(3, "b"), fill(3, "a")]);
      expect(race.filter((won) => won)).toHaveLength(1);
      const { nonce } = await submittedJob(database, 5);
      expect(await fill(nonce, "c")).toBe(false);
    });
  });

  describe("a transaction that settles no job", () => {
    it("is open until it is mined or dropped", async () => {
      const { database } = store;
      const first = await send(database, 0);
      const second = await send(database, 0);
      await recordSent({ database, hash: first.hash });
      const open = await listOpenTransactions({ database });
      expect(open.map(({ purpose, transaction }) => [purpose, transaction.nonce])).toEqual([
        ["heartbeat", 0],
        ["heartbeat", 1],
      ]);
      expect(open[0]?.transaction.silentMs).toBeGreaterThanOrEqual(0);
      expect(open[1]?.transaction.silentMs).toBeNull();
      const receipt = { hash: first.hash, blockNumber: 1, blockHash: "block", gasUsed: 1n };
      expect(await recordMined({ database, receipt })).toBe(true);
      expect(await recordMined({ database, receipt })).toBe(false);
      await dropTransaction({ database, transactionHash: second.hash });
      expect(await listOpenTransactions({ database })).toEqual([]);
    });
  });

  describe("a settlement by somebody else", () => {
    it("takes every attempt of the job's own off the book", async () => {
      const { database } = store;
      const { hash, nonce, requestId } = await submittedJob(database);
      const other = await submittedJob(database);
      const replacement = { hash: "second", raw: "raw second" };
      await recordReplacement({ database, replaced: hash, replacement });
      expect(await recordExternalSettlement({ database, requestId, head: 9 })).toBe(true);
      expect(await listAttempts({ database, nonce })).toEqual([]);
      expect(await listAttempts({ database, nonce: other.nonce })).toHaveLength(1);
      expect((await countOpen({ database })).open).toBe(1);
    });

    it("is watched, and taken back where a reorganisation removed it", async () => {
      const { database } = store;
      const requestId = await provenJob(database);
      await recordExternalSettlement({ database, requestId, head: 9 });
      expect(await listExternalSettled({ database })).toEqual([{ requestId, seenAtBlock: 9 }]);
      const decide = (outcome: "final" | "gone") =>
        decideExternalSettled({ database, requestId, outcome });
      expect(await decide("gone")).toBe(true);
      expect((await readJob({ database, requestId }))?.state).toBe("proven");
      expect(await decide("gone")).toBe(false);
      await recordExternalSettlement({ database, requestId, head: 11 });
      expect(await decide("final")).toBe(true);
      expect(await listExternalSettled({ database })).toEqual([]);
      expect(await decide("gone")).toBe(false);
    });
  });
});
