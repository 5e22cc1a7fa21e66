import type { Row } from "../../src/storage/database.ts";

/** The transitions of a job's life, in their order. */
export const LIFE_TRANSITIONS = [
  "accepted",
  "proven",
  "signed",
  "broadcast",
  "submitted",
  "pending",
  "settled",
] as const;

/**
 * What a process can die right after: these, and transactions in trouble, failures, settlements by others,
 * reorganisations.
 */
export const TRANSITIONS = [
  ...LIFE_TRANSITIONS,
  "replaced",
  "replacementSent",
  "promoted",
  "dropped",
  "gapFilled",
  "mined",
  "undone",
  "setApart",
  "failed",
  "settledElsewhere",
  "rejected",
  "reorganised",
  "reopenedElsewhere",
  "final",
] as const;
export type Transition = (typeof TRANSITIONS)[number];

/** The transitions that the endpoint sees; every other one is a change of the database. */
export const SENT_TRANSITIONS: readonly Transition[] = ["broadcast", "replacementSent"];

/** What the database holds of jobs and transactions, as far as transitions show in it. */
export const JOBS =
  "SELECT request_id, state, transaction_id::text, settle_alone, finalised_at FROM jobs";
export const TRANSACTIONS = `SELECT a.hash, t.nonce::text, t.purpose, a.replaced_at, t.dropped_at, a.block_number::text
FROM attempts a JOIN transactions t ON t.id = a.transaction_id`;

export type Records = { jobs: ReadonlyMap<unknown, Row>; transactions: ReadonlyMap<unknown, Row> };
export const NOTHING: Records = { jobs: new Map(), transactions: new Map() };

export function recordsOf(parameters: { jobs: Row[]; transactions: Row[] }): Records {
  return {
    jobs: new Map(parameters.jobs.map((row) => [row.request_id, row])),
    transactions: new Map(parameters.transactions.map((row) => [row.hash, row])),
  };
}

/** The transitions that lie between two looks at the database, whatever statement made them. */
export function transitionsBetween(before: Records, after: Records): Transition[] {
  const found = new Set<Transition>();
  for (const [id, job] of after.jobs) {
    const earlier = before.jobs.get(id);
    if (earlier?.state !== job.state) found.add(jobTransition(earlier, job));
    else if (earlier?.finalised_at === null && job.finalised_at !== null) found.add("final");
    else if (earlier?.settle_alone === false && job.settle_alone === true) found.add("setApart");
  }
  const settled = ["settled", "settledElsewhere", "pending"].some((name) =>
    found.has(name as Transition),
  );
  for (const [hash, transaction] of after.transactions) {
    const earlier = before.transactions.get(hash);
    if (earlier === undefined) found.add(newTransaction(transaction, before));
    else if (earlier.replaced_at !== null && transaction.replaced_at === null)
      found.add("promoted");
    // A settlement takes its job's attempts along, and has its own place in the chain.
    else if (settled) continue;
    else if (earlier.dropped_at === null && transaction.dropped_at !== null) found.add("dropped");
    else if (earlier.block_number === null && transaction.block_number !== null) found.add("mined");
  }
  // A job goes back to proven with its transaction dropped, or with that mined in vain.
  if (found.has("dropped")) found.delete("undone");
  return [...found];
}

/** How a job came back to where it is settled from. */
const BACK: Readonly<Record<string, Transition>> = {
  submitted: "undone",
  pending: "rejected",
  settled: "reopenedElsewhere",
};

function jobTransition(earlier: Row | undefined, job: Row): Transition {
  if (job.state === "settled") return job.transaction_id === null ? "settledElsewhere" : "settled";
  if (earlier === undefined) return job.state as Transition;
  if (job.state === "submitted" && earlier.state !== "proven") return "reorganised";
  if (job.state === "proven") return BACK[String(earlier.state)] ?? "proven";
  return job.state as Transition;
}

function newTransaction(transaction: Row, before: Records): Transition {
  if (transaction.purpose === "gap") return "gapFilled";
  const isReplacement = [...before.transactions.values()].some(
    ({ dropped_at, nonce }) => nonce === transaction.nonce && dropped_at === null,
  );
  return isReplacement ? "replaced" : "signed";
}
