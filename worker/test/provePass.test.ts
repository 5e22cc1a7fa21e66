import { pino } from "pino";
import { expect, it } from "vitest";
import type { Database } from "../src/database/database.ts";
import { DatabaseAwayError } from "../src/database/databaseFailure.ts";
import { RetryableError } from "../src/errors.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { ServedModel } from "../src/models/servedModel.ts";
import { createProvePass } from "../src/prove/createProvePass.ts";
import type { Prover } from "../src/prover/prover.ts";
import { acceptJob } from "../src/queue/acceptJob.ts";
import { readJob } from "../src/queue/readJob.ts";
import { newJob } from "./support/newJob.ts";
import { describeStores } from "./support/stores.ts";

const domain = { chainId: 31337n };
/** Whole words, as `newJob` has them. */
const tensor = (count: number) => ({
  minimum: 0,
  maximum: Number.MAX_VALUE,
  layout: { count, bits: 248, isSigned: false, scaleExponent: 0 },
});

/** A pass with a prover that fails with `error`, for the model of `newJob`. */
function passOf(parameters: { database: Database; error: Error }) {
  const { database, error } = parameters;
  const { versionId } = newJob({ nonce: 0n });
  const manifest = { hashes: { zkey: "0x" }, input: tensor(2), outputs: [tensor(1)] };
  const prover = { prove: () => Promise.reject(error) } as unknown as Prover;
  return createProvePass({
    database,
    chain: { domain },
    models: [{ versionId, manifest } as unknown as ServedModel],
    prover,
    owner: "me",
    crashAfter: () => undefined,
    metrics: createMetrics({ database }),
    logger: pino({ level: "silent" }),
    onProven: () => undefined,
  });
}

/** Passes over one job until there is none that is due, however long it is to rest between two. */
async function exhaust(parameters: { database: Database; error: Error; passes: number }) {
  const { database, error, passes } = parameters;
  const { requestId } = await acceptJob({ database, create: async (nonce) => newJob({ nonce }) });
  const pass = passOf({ database, error });
  for (let i = 0; i < passes; i++) {
    if (!(await pass())) break;
    await database.query("UPDATE jobs SET run_after = now()");
  }
  return await readJob({ database, requestId });
}

describeStores("a proof that fails", (store) => {
  it("is tried five times", async () => {
    const error = new RetryableError({ code: "prover.failed", message: "broken" });
    const job = await exhaust({ database: store.database, error, passes: 9 });
    expect(job).toMatchObject({ state: "failed", failure: { code: "prover.failed" }, attempts: 4 });
  });

  it("waits for as long as the prover has enough to do", async () => {
    const error = new RetryableError({ code: "prover.busy", message: "full" });
    const job = await exhaust({ database: store.database, error, passes: 9 });
    expect(job).toMatchObject({ state: "accepted", attempts: 0, lastError: "full" });
  });

  it("costs no attempt where the queue is at fault", async () => {
    const error = new DatabaseAwayError({ code: "database.away", message: "gone" });
    const failing = exhaust({ database: store.database, error, passes: 1 });
    await expect(failing).rejects.toThrow(DatabaseAwayError);
    const [row] = await store.database.query("SELECT state, attempts FROM jobs");
    expect(row).toEqual({ state: "accepted", attempts: 0 });
  });
});
