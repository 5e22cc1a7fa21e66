import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TRANSITIONS, type Transition } from "../src/config/variables.ts";

const SOURCES = join(import.meta.dirname, "../src");
const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: readFileSync(join(SOURCES, path), "utf8") }));
const crashPointsOf = (text: string): string[] =>
  [...text.matchAll(/crashAfter\("(\w+)"\)/g)].map(([, name]) => name ?? "");

/** The crash point behind each operation that changes what the queue knows of a job or a transaction. */
const CRASH_POINTS: Record<string, readonly Transition[]> = {
  acceptJob: ["accepted"],
  recordProof: ["proven"],
  recordTransaction: ["signed"],
  recordSigned: ["signed"],
  recordBroadcast: ["submitted"],
  recordSettlement: ["settled"],
  recordReplacement: ["replaced"],
  promoteAttempt: ["promoted"],
  dropTransaction: ["dropped"],
  recordFiller: ["gapFilled"],
  recordMined: ["mined"],
  recordFailure: ["failed"],
  recordForeignSettlement: ["settledElsewhere"],
  decideForeignSettled: ["reopenedElsewhere", "final"],
  reopenSettled: ["reorganised"],
  finaliseSettled: ["final"],
};
/** Who works on a job, and when something was last sent: forgotten, it is only done again. */
const NO_TRANSITIONS = ["leaseJobs", "renewLease", "releaseJob", "releaseAllLeases", "recordSent"];

it("every transition that a worker can be killed after is one that it makes, and the other way round", () => {
  const made = new Set(sources.flatMap(({ text }) => crashPointsOf(text)));
  expect([...made].sort()).toEqual([...TRANSITIONS].sort());
});

/** Functions of the queue with the statements above them. */
const operations = sources
  .filter(({ path }) => path.startsWith("jobs"))
  .flatMap(({ text }) => text.split(/^}\n/m))
  .flatMap((text) => {
    const name = /^export async function (\w+)/m.exec(text)?.[1];
    return name === undefined ? [] : [{ name, text }];
  });

it("every operation that changes a job or a transaction has a crash point", () => {
  const writing = operations
    .filter(({ text }) => /\b(INSERT INTO|UPDATE|DELETE FROM) (jobs|transactions)\b/.test(text))
    .map(({ name }) => name);
  expect(writing.sort()).toEqual([...Object.keys(CRASH_POINTS), ...NO_TRANSITIONS].sort());
});

it.each(Object.entries(CRASH_POINTS))("whoever calls %s can be killed after it", (name, points) => {
  const callers = sources.filter(
    ({ path, text }) => !path.startsWith("jobs") && text.includes(`${name}({`),
  );
  expect(callers.length).toBeGreaterThan(0);
  for (const { path, text } of callers) {
    // The fast path says it to whoever started it, who has the crash point.
    const found = path.endsWith("answerInference.ts") ? ["accepted"] : crashPointsOf(text);
    expect(found, path).toEqual(expect.arrayContaining([...points]));
  }
});
