import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { acceptJob } from "../src/jobs/acceptJob.ts";
import { decideExternalSettled, finaliseSettled, reopenSettled } from "../src/jobs/finality.ts";
import { recordFailure, recordProof } from "../src/jobs/proofs.ts";
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
  recordSigned,
  recordTransaction,
} from "../src/jobs/transactions.ts";
import type { Database } from "../src/storage/database.ts";
import { newJob } from "./support/newJob.ts";
import { observedDatabase } from "./support/observedDatabase.ts";
import { describeStores } from "./support/stores.ts";
import { SENT_TRANSITIONS, TRANSITIONS, type Transition } from "./support/transitions.ts";

const JOBS = join(import.meta.dirname, "../src/jobs");
const place = { blockNumber: 1, blockHash: "block", gasUsed: 1n };
const sign = async (nonce: number) => ({ hash: `hash of ${nonce}`, raw: "raw" });
const HASH = "hash of 0";

/** A job, and the steps of its plain life, each from where the one before has led. */
function lifeIn(database: Database) {
  const { requestId } = newJob({ nonce: 0n });
  const transactionHash = HASH;
  const accept = () => acceptJob({ database, create: async (nonce) => newJob({ nonce }) });
  const prove = async () => {
    await accept();
    const timings = { witnessMs: 1, proveMs: 2 };
    await recordProof({ database, requestId, proof: `0x${"33".repeat(256)}`, timings });
  };
  const signed = async () => {
    await prove();
    await recordTransaction({ database, requestId, chainNonce: 0, sign });
  };
  const submit = async () => {
    await signed();
    await recordBroadcast({ database, requestId, transactionHash });
  };
  const settle = async () => {
    await submit();
    await recordSettlement({ database, requestId, mined: { hash: HASH, ...place } });
  };
  const settleElsewhere = async () => {
    await prove();
    await recordExternalSettlement({ database, requestId, head: 9 });
  };
  const replace = async () => {
    await submit();
    const replacement = { hash: "second", raw: "raw second" };
    await recordReplacement({ database, replaced: HASH, replacement });
  };
  return { requestId, accept, prove, signed, submit, settle, settleElsewhere, replace };
}

type Life = ReturnType<typeof lifeIn>;
type Row = {
  operation: string;
  /** leads to where the operation is the next thing */
  before: keyof Omit<Life, "requestId"> | undefined;
  run: (parameters: { database: Database; requestId: string }) => Promise<unknown>;
  makes: Transition;
};

/** Every operation that changes what the queue knows of a job or a transaction, and what a process can die after then. */
const OPERATIONS: readonly Row[] = [
  {
    ...{ operation: "acceptJob", before: undefined, makes: "accepted" },
    run: ({ database }) => lifeIn(database).accept(),
  },
  {
    ...{ operation: "recordProof", before: "accept", makes: "proven" },
    run: ({ database, requestId }) =>
      recordProof({ database, requestId, proof: "0x", timings: { witnessMs: 1, proveMs: 2 } }),
  },
  {
    ...{ operation: "recordTransaction", before: "prove", makes: "signed" },
    run: (context) => recordTransaction({ ...context, chainNonce: 0, sign }),
  },
  {
    ...{ operation: "recordSigned", before: undefined, makes: "signed" },
    run: ({ database }) =>
      database.transaction((tx) =>
        recordSigned({ tx, chainNonce: 0, requestId: null, purpose: "heartbeat", sign }),
      ),
  },
  {
    ...{ operation: "recordBroadcast", before: "signed", makes: "submitted" },
    run: (context) => recordBroadcast({ ...context, transactionHash: HASH }),
  },
  {
    ...{ operation: "recordSettlement", before: "submit", makes: "settled" },
    run: (context) => recordSettlement({ ...context, mined: { hash: HASH, ...place } }),
  },
  {
    ...{ operation: "recordReplacement", before: "submit", makes: "replaced" },
    run: ({ database }) =>
      recordReplacement({ database, replaced: HASH, replacement: { hash: "third", raw: "raw" } }),
  },
  {
    ...{ operation: "promoteAttempt", before: "replace", makes: "promoted" },
    run: ({ database }) => promoteAttempt({ database, hash: HASH }),
  },
  {
    ...{ operation: "dropTransaction", before: "submit", makes: "dropped" },
    run: ({ database }) => dropTransaction({ database, transactionHash: HASH }),
  },
  {
    ...{ operation: "recordFiller", before: "prove", makes: "gapFilled" },
    run: ({ database }) => recordFiller({ database, nonce: 3, hash: "filler", raw: "raw" }),
  },
  {
    ...{ operation: "recordMined", before: "submit", makes: "mined" },
    run: ({ database }) => recordMined({ database, receipt: { hash: HASH, ...place } }),
  },
  {
    ...{ operation: "recordFailure", before: "prove", makes: "failed" },
    run: (context) => recordFailure({ ...context, from: "proven", code: "a.code", message: "why" }),
  },
  {
    ...{ operation: "recordExternalSettlement", before: "submit", makes: "settledElsewhere" },
    run: (context) => recordExternalSettlement({ ...context, head: 9 }),
  },
  {
    ...{
      operation: "decideExternalSettled",
      before: "settleElsewhere",
      makes: "reopenedElsewhere",
    },
    run: (context) => decideExternalSettled({ ...context, outcome: "gone" }),
  },
  {
    ...{ operation: "decideExternalSettled", before: "settleElsewhere", makes: "final" },
    run: (context) => decideExternalSettled({ ...context, outcome: "final" }),
  },
  {
    ...{ operation: "reopenSettled", before: "settle", makes: "reorganised" },
    run: (context) => reopenSettled({ ...context, transactionHash: HASH }),
  },
  {
    ...{ operation: "finaliseSettled", before: "settle", makes: "final" },
    run: ({ database }) => finaliseSettled({ database, upToBlock: 5 }),
  },
];
/** Who works on a job, and when something was last sent: forgotten, it is only done again. */
const NO_TRANSITIONS = ["leaseJobs", "renewLease", "releaseJob", "releaseAllLeases", "recordSent"];

it("every operation that changes a job or a transaction makes a transition that kills", () => {
  const writing = readdirSync(JOBS)
    .flatMap((name) => readFileSync(join(JOBS, name), "utf8").split(/^}\n/m))
    .filter((text) => /\b(INSERT INTO|UPDATE|DELETE FROM) (jobs|transactions)\b/.test(text))
    .map((text) => /^export async function (\w+)/m.exec(text)?.[1]);
  const known = new Set(OPERATIONS.map(({ operation }) => operation));
  expect(writing.sort()).toEqual([...known, ...NO_TRANSITIONS].sort());
});

it("every transition is made by an operation, or seen by the endpoint", () => {
  const made = new Set([...OPERATIONS.map(({ makes }) => makes), ...SENT_TRANSITIONS]);
  expect([...made].sort()).toEqual([...TRANSITIONS].sort());
});

describeStores("a database that is observed", (store) => {
  it.each(OPERATIONS)("tells of $makes once $operation is on disk", async (row) => {
    const { before, makes, run } = row;
    const { database } = store;
    const life = lifeIn(database);
    if (before !== undefined) await life[before]();
    const seen: Transition[] = [];
    const onTransition = (transition: Transition) => seen.push(transition);
    const observed = await observedDatabase({ database, onTransition });
    await run({ database: observed, requestId: life.requestId });
    expect(seen).toEqual([makes]);
  });
});
