import { acceptJob } from "../../src/jobs/acceptJob.ts";
import { acceptResults } from "../../src/jobs/acceptResults.ts";
import { decideExternalSettled, finaliseSettled, reopenSettled } from "../../src/jobs/finality.ts";
import { decidePage, recordPending } from "../../src/jobs/pages.ts";
import { recordFailure, recordProof } from "../../src/jobs/proofs.ts";
import {
  recordBroadcast,
  recordExternalSettlement,
  recordSettlement,
  recordUndone,
  releaseClaims,
  setApart,
} from "../../src/jobs/settlements.ts";
import {
  dropTransaction,
  promoteAttempt,
  recordFiller,
  recordMined,
  recordReplacement,
  recordSigned,
  recordTransaction,
} from "../../src/jobs/transactions.ts";
import type { Database } from "../../src/storage/database.ts";
import { newJob, newResult } from "./newJob.ts";
import type { Transition } from "./transitions.ts";

const place = { blockNumber: 1, blockHash: "block", gasUsed: 1n };
const sign = async (nonce: number) => ({ hash: `hash of ${nonce}`, raw: "raw" });
const HASH = "hash of 0";

/** A page that a transaction proposed. */
export const PROPOSED = {
  mined: { hash: HASH, ...place },
  renewSeconds: 60,
  page: {
    ...{ pageId: "page", endsAt: 99n },
    header: {
      ...{ kind: 2n, teeId: "0x66", ledgerPage: 1n << 200n, bitmap: 1n, root: "0x77" },
      ...{ blobId: "0x88", proposer: "0x99", fee: 0n },
    },
  },
} as const;

/** A job, and the steps of its plain life, each from where the one before has led. */
export function lifeIn(database: Database) {
  const { requestId } = newJob({ nonce: 0n });
  const transactionHash = HASH;
  const accept = () => acceptJob({ database, create: async (nonce) => newJob({ nonce }) });
  const claim = () =>
    acceptJob({
      database,
      create: async (nonce) => ({ ...newJob({ nonce }), isOptimistic: true }),
    });
  const prove = async () => {
    await accept();
    const timings = { witnessMs: 1, proveMs: 2 };
    await recordProof({ database, requestId, proof: `0x${"33".repeat(256)}`, timings });
  };
  const signed = async () => {
    await prove();
    await recordTransaction({
      database,
      requestIds: [requestId],
      kind: "zkml",
      chainNonce: 0,
      sign,
    });
  };
  const submit = async () => {
    await signed();
    await recordBroadcast({ database, transactionHash });
  };
  const settle = async () => {
    await submit();
    await recordSettlement({ database, requestIds: [requestId], mined: { hash: HASH, ...place } });
  };
  const apart = async () => {
    await prove();
    await setApart({ database, requestIds: [requestId], reason: "why" });
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
  const fail = async () => {
    await accept();
    await recordFailure({ database, requestId, from: "accepted", code: "a.code", message: "why" });
  };
  const propose = async () => {
    await submit();
    await recordPending({ database, requestIds: [requestId], ...PROPOSED });
  };
  const reject = async () => {
    await propose();
    await decidePage({ database, pageId: PROPOSED.page.pageId, decision: "rejected" });
  };
  const proposeClaim = async () => {
    await claim();
    const signing = { requestIds: [requestId], kind: "optimisticPage", chainNonce: 0, sign };
    await recordTransaction({ database, ...signing });
    await recordBroadcast({ database, transactionHash });
    await recordPending({ database, requestIds: [requestId], ...PROPOSED });
  };
  const finalise = async () => {
    await settle();
    await finaliseSettled({ database, upToBlock: place.blockNumber });
  };
  const finaliseElsewhere = async () => {
    await settleElsewhere();
    await decideExternalSettled({ database, requestId, outcome: "final" });
  };
  return {
    ...{ requestId, accept, prove, signed, submit, settle, settleElsewhere, replace },
    ...{ apart, claim, fail, finalise, finaliseElsewhere, propose, proposeClaim, reject },
  };
}

type Life = ReturnType<typeof lifeIn>;
type Operation = {
  operation: string;
  /** leads to where the operation is the next thing */
  before: keyof Omit<Life, "requestId"> | undefined;
  run: (parameters: { database: Database; requestId: string }) => Promise<unknown>;
  makes: Transition;
};

/** Every operation that changes what the queue knows of a job or a transaction, and what a process can die after then. */
export const OPERATIONS: readonly Operation[] = [
  {
    ...{ operation: "acceptJob", before: undefined, makes: "accepted" },
    run: ({ database }) => lifeIn(database).accept(),
  },
  {
    ...{ operation: "acceptResults", before: undefined, makes: "proven" },
    run: ({ database }) =>
      acceptResults({ database, jobs: [newResult({ nonce: 0n })], check: () => undefined }),
  },
  {
    ...{ operation: "recordProof", before: "accept", makes: "proven" },
    run: ({ database, requestId }) =>
      recordProof({ database, requestId, proof: "0x", timings: { witnessMs: 1, proveMs: 2 } }),
  },
  {
    ...{ operation: "recordTransaction", before: "prove", makes: "signed" },
    run: ({ database, requestId }) =>
      recordTransaction({ database, requestIds: [requestId], kind: "zkml", chainNonce: 0, sign }),
  },
  {
    ...{ operation: "recordSigned", before: undefined, makes: "signed" },
    run: ({ database }) =>
      database.transaction((tx) => recordSigned({ tx, chainNonce: 0, purpose: "heartbeat", sign })),
  },
  {
    ...{ operation: "recordBroadcast", before: "signed", makes: "submitted" },
    run: ({ database }) => recordBroadcast({ database, transactionHash: HASH }),
  },
  {
    ...{ operation: "recordSettlement", before: "submit", makes: "settled" },
    run: ({ database, requestId }) =>
      recordSettlement({ database, requestIds: [requestId], mined: { hash: HASH, ...place } }),
  },
  {
    ...{ operation: "recordPending", before: "submit", makes: "pending" },
    run: ({ database, requestId }) =>
      recordPending({ database, requestIds: [requestId], ...PROPOSED }),
  },
  {
    ...{ operation: "decidePage", before: "propose", makes: "settled" },
    run: ({ database }) =>
      decidePage({ database, pageId: PROPOSED.page.pageId, decision: "final" }),
  },
  {
    ...{ operation: "decidePage", before: "propose", makes: "rejected" },
    run: ({ database }) =>
      decidePage({ database, pageId: PROPOSED.page.pageId, decision: "rejected" }),
  },
  {
    ...{ operation: "recordUndone", before: "submit", makes: "undone" },
    run: ({ database, requestId }) =>
      recordUndone({
        ...{ database, requestIds: [requestId], transactionHash: HASH, reason: "why" },
        apart: true,
      }),
  },
  {
    ...{ operation: "setApart", before: "prove", makes: "setApart" },
    run: ({ database, requestId }) =>
      setApart({ database, requestIds: [requestId], reason: "why" }),
  },
  {
    ...{ operation: "releaseClaims", before: "claim", makes: "accepted" },
    run: ({ database }) => releaseClaims({ database }),
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
    async run(context) {
      for (const from of ["accepted", "proven", "submitted"] as const) {
        await recordFailure({ ...context, from, code: "a.code", message: "why" });
      }
    },
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
    run: ({ database }) => reopenSettled({ database, transactionHash: HASH }),
  },
  {
    ...{ operation: "finaliseSettled", before: "settle", makes: "final" },
    run: ({ database }) => finaliseSettled({ database, upToBlock: 5 }),
  },
];
