import { decodeEscrowJob, escrowInterface } from "@haca/protocol/escrowCalls";
import { id, ZeroAddress } from "ethers";
import { expect, it } from "vitest";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import { ANY_NUMBER, leaseJobs } from "../src/jobs/leases.ts";
import {
  listAttempts,
  listOpenAttempts,
  listOpenTransactions,
} from "../src/jobs/openTransactions.ts";
import { recordBroadcast, recordSettlement } from "../src/jobs/settlements.ts";
import { leaseTransactions } from "../src/jobs/transactionLeases.ts";
import { promoteAttempt, recordFiller, recordTransaction } from "../src/jobs/transactions.ts";
import type { Database, Row } from "../src/storage/database.ts";
import { migrate } from "../src/storage/migrate.ts";
import { OldQueue, restoreOldSchema } from "./support/oldQueue.ts";
import { describeStores, IDENTITY } from "./support/stores.ts";

/** All that was known of a job and its transaction, but ages, and who works on it. */
const JOBS = `SELECT request_id, nonce, state, model, version, version_id, requester, price, answered_at, input_words,
  output_words, signature, proof, witness_ms, prove_ms, failure_code, failure_message, attempts, last_error, accepted_at,
  proven_at, submitted_at, settled_at, failed_at, finalised_at, transaction_hash, transaction_nonce, raw, broadcast_at,
  block_number, block_hash, gas_used, signed_at
FROM job_records ORDER BY request_id`;
const NEXT_NONCE = `SELECT min(candidate)::text AS nonce
FROM (SELECT $1::bigint AS candidate UNION SELECT nonce + 1 FROM transactions WHERE nonce >= $1::bigint) candidates
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = candidate)`;
const OLD_ATTEMPTS = `SELECT hash, raw FROM transactions
WHERE nonce = $1 AND dropped_at IS NULL
ORDER BY replaced_at DESC NULLS FIRST`;
const OLD_OPEN = `SELECT hash FROM transactions
WHERE dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL ORDER BY nonce`;
const HIGHEST = 14;

/** A queue that has seen everything. */
async function fill(queue: OldQueue): Promise<Record<string, string>> {
  const accepted = await queue.accept();
  const failing = await queue.accept();
  await queue.fail(failing, "accepted");
  await queue.prove();
  const signed = await queue.prove();
  await queue.sign(0, signed);
  const submitted = await queue.submit(1);

  const replaced = await queue.submit(2);
  await queue.replace(replaced.hash, "second of 2");
  await queue.replace("second of 2", "third of 2");
  // Mined is the second, and the job is not settled yet.
  const promoted = await queue.submit(3);
  await queue.replace(promoted.hash, "second of 3");
  await queue.promote(promoted.hash);

  const settled = await queue.submit(4);
  const final = await queue.submit(5);
  await queue.settle(final, 10);
  await queue.finalise(10);
  await queue.settle(settled, 11);

  // Reverted: the job shows by which transaction.
  const reverted = await queue.submit(6);
  await queue.mine(reverted.hash, 12);
  await queue.fail(reverted.requestId, "submitted");

  // The nonce was taken, the job has another by now; the first nonce has a filler, given up and signed again.
  const moved = await queue.submit(7);
  await queue.drop(moved.hash);
  await queue.sign(8, moved.requestId);
  await queue.fill(7, "filler of 7");
  await queue.drop("filler of 7");
  await queue.fill(7, "other filler of 7");
  await queue.drop("other filler of 7");
  await queue.fill(7, "filler of 7");

  // Settled by somebody else: before it was mined, and after it was mined and reverted.
  const elsewhere = await queue.submit(9);
  await queue.replace(elsewhere.hash, "second of 9");
  await queue.settleElsewhere(elsewhere.requestId);
  const late = await queue.submit(10);
  await queue.replace(late.hash, "second of 10");
  await queue.mine("second of 10", 13);
  await queue.settleElsewhere(late.requestId);

  await queue.mine(await queue.sign(11, null, "heartbeat"), 14);
  await queue.replace(await queue.sign(12, null, "heartbeat"), "second of 12");
  const heldProven = await queue.prove();
  await queue.lease(heldProven, "somebody");
  const held = await queue.submit(HIGHEST);
  await queue.lease(held.requestId, "somebody");
  return {
    ...{ accepted, signed, replaced: replaced.requestId, promoted: promoted.requestId },
    ...{ submitted: submitted.requestId, moved: moved.requestId, held: held.requestId },
    heldProven,
  };
}

async function perNonce<Value>(read: (nonce: number) => Promise<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for (let nonce = 0; nonce <= HIGHEST + 1; nonce++) values.push(await read(nonce));
  return values;
}

/** What the worker goes by, of the database as it is. */
async function readQueue(database: Database) {
  const jobs = await database.query(JOBS);
  const next = await perNonce((nonce) => database.query(NEXT_NONCE, [nonce]));
  return { jobs, next };
}

describeStores("a database of the worker before", (store) => {
  async function old(): Promise<{ database: Database; ids: Record<string, string> }> {
    const { database } = store;
    await restoreOldSchema(database);
    await claimIdentity({ database, identity: IDENTITY });
    await database.query("UPDATE identity SET next_request_nonce = 99");
    return { database, ids: await fill(new OldQueue(database)) };
  }

  it("keeps every job's state, nonces and attempts", async () => {
    const { database } = await old();
    const before = await readQueue(database);
    const attempts = await perNonce((nonce) => database.query(OLD_ATTEMPTS, [nonce]));
    const open = (await database.query(OLD_OPEN)).map(({ hash }: Row) => hash);
    // Given up before, under a nonce that is open or mined again: looked for too, and found after the current one.
    attempts[7]?.push({ hash: "other filler of 7", raw: "raw of other filler of 7" });
    attempts[10]?.push({ hash: "settlement 10", raw: "raw of settlement 10" });

    await migrate({ database });
    expect(await readQueue(database)).toEqual(before);
    expect(await perNonce((nonce) => listAttempts({ database, nonce }))).toEqual(attempts);
    expect((await listOpenAttempts({ database })).map(({ hash }) => hash)).toEqual(open);
    const free = await listOpenTransactions({ database });
    expect(free.map(({ purpose, transaction }) => [purpose, transaction.hash])).toEqual([
      ["gap", "filler of 7"],
      ["heartbeat", "second of 12"],
    ]);
    const identity = await database.query("SELECT next_request_nonce::text AS next FROM identity");
    expect(identity).toEqual([{ next: "99" }]);
    expect(before.jobs).toHaveLength(15);
    await migrate({ database });
  });

  it("keeps the jobs of payments that the escrow holds", async () => {
    const { database } = store;
    await restoreOldSchema(database, 21);
    const [zero, one] = [ZeroAddress, `0x${"1".repeat(40)}`];
    const terms = {
      ...{ node: one, payee: one, requestHash: id("request"), token: zero },
      ...{ feeBps: 1n, kinds: 4n, captureWindow: 9n },
    };
    const rest = { payer: one, nonce: 7n, amount: 5n, deadline: 99n, feeReceiver: zero };
    const job = { terms, ...rest };
    const cancellation = escrowInterface.encodeFunctionData("cancel", [job]);
    await database.query(
      "INSERT INTO held_payments (job_id, payer, nonce, valid_until, cancellation) VALUES ('a', $1, 7, 9, $2), ('b', $1, 8, 9, NULL)",
      [one, cancellation],
    );
    await migrate({ database });
    const rows = await database.query("SELECT job, operator FROM held_payments ORDER BY job_id");
    expect(rows.map(({ operator }) => operator)).toEqual([null, null]);
    expect([decodeEscrowJob(String(rows[0]?.job)), rows[1]?.job]).toEqual([job, null]);
  });

  it("goes on from where it was", async () => {
    const { database, ids } = await old();
    await migrate({ database });
    const lease = (owner: string, state: "proven" | "submitted") =>
      leaseTransactions({
        ...{ database, owner, state, limit: 99, leaseSeconds: 60 },
        claims: { from: 0, to: ANY_NUMBER },
      });
    const waiting = async (owner: string, state: "proven" | "submitted") =>
      (await lease(owner, state)).flatMap(({ jobs }) => jobs.map(({ requestId }) => requestId));
    // Who worked on a job works on its transaction; who worked on a job without one still does.
    expect(await waiting("me", "submitted")).toEqual([
      ...[ids.submitted, ids.replaced, ids.promoted],
    ]);
    expect(await waiting("somebody", "submitted")).toContain(ids.held);
    expect(await waiting("me", "proven")).toEqual([ids.signed, ids.moved]);
    const proven = await leaseJobs({
      ...{ database, owner: "me", limit: 99, leaseSeconds: 60 },
      stage: { state: "proven" },
    });
    expect(proven).toHaveLength(1);
    expect(proven[0]?.requestId).not.toBe(ids.heldProven);

    const mined = { hash: "second of 2", blockNumber: 20, blockHash: "block", gasUsed: 1n };
    await promoteAttempt({ database, hash: mined.hash });
    const requestIds = [ids.replaced ?? ""];
    expect(await recordSettlement({ database, requestIds, mined })).toEqual(requestIds);
    expect(await recordBroadcast({ database, transactionHash: "settlement 0" })).toEqual([
      ids.signed,
    ]);
    expect(await recordFiller({ database, nonce: 9, hash: "filler of 9", raw: "raw" })).toBe(true);
    expect(await recordFiller({ database, nonce: 7, hash: "more", raw: "raw" })).toBe(false);
    const sign = async (nonce: number) => ({ hash: `new ${nonce}`, raw: "raw" });
    const next = await recordTransaction({
      ...{ database, kind: "zkml", chainNonce: 0, sign },
      requestIds: proven.map(({ requestId }) => requestId),
    });
    // Every nonce below is used, by those that were given up as well; 13 never was.
    expect(next?.nonce).toBe(13);
  });
});
