import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CRASH_KINDS, deathsOf } from "./support/crashKinds.ts";
import { observedDatabase } from "./support/observedDatabase.ts";
import { lifeIn, OPERATIONS } from "./support/operations.ts";
import { describeStores } from "./support/stores.ts";
import { SENT_TRANSITIONS, TRANSITIONS, type Transition } from "./support/transitions.ts";

const JOBS = join(import.meta.dirname, "../src/jobs");

/** Who works on a job, and when something was last sent: forgotten, it is only done again. */
const NO_TRANSITIONS = [
  ...["leaseJobs", "renewLease", "releaseJobs", "leaseTransactions", "releaseTransaction"],
  "unclaimJob",
  ...[
    "releaseAllLeases",
    "recordSent",
    "claimLooks",
    "claimRenewals",
    "recordRenewal",
    "recordEnd",
    "claimDemandLooks",
    "recordDemandedProof",
  ],
];

it("kills after every transition, by one kind at least, and by all that make it in the deep run", () => {
  for (const transition of TRANSITIONS) {
    const making = CRASH_KINDS.filter(({ never }) => !never.includes(transition));
    const tried = (isDeep: boolean) =>
      making.filter(({ kind }) => deathsOf(kind, isDeep).includes(transition)).length;
    expect(tried(true), transition).toBe(making.length);
    expect(tried(false), transition).toBeGreaterThanOrEqual(1);
  }
  const kills = CRASH_KINDS.map(({ kind }) => deathsOf(kind, false).length);
  expect(Math.min(...kills)).toBeGreaterThan(0);
});

it("every operation that changes a job or a transaction makes a transition that kills", () => {
  const writing = readdirSync(JOBS)
    .flatMap((name) => readFileSync(join(JOBS, name), "utf8").split(/^}\n/m))
    .filter((text) =>
      /\b(INSERT INTO|UPDATE|DELETE FROM) (jobs|transactions|attempts|transaction_jobs|pages)\b/.test(
        text,
      ),
    )
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
