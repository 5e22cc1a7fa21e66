import { pino } from "pino";
import { expect, it } from "vitest";
import { RetryableError } from "../src/errors.ts";
import { acceptJob } from "../src/jobs/acceptJob.ts";
import { noteDemands } from "../src/jobs/demands.ts";
import { leaseJobs } from "../src/jobs/leases.ts";
import { readJob } from "../src/jobs/readJobs.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { ServedModel } from "../src/models/servedModel.ts";
import type { Prover } from "../src/prover/prover.ts";
import { Bench } from "../src/roles/prove/bench.ts";
import { createProvePass } from "../src/roles/prove/createProvePass.ts";
import type { Database } from "../src/storage/database.ts";
import { DatabaseAwayError } from "../src/storage/databaseFailure.ts";
import { newJob } from "./support/newJob.ts";
import { lifeIn, PROPOSED } from "./support/operations.ts";
import { describeStores } from "./support/stores.ts";

const domain = { chainId: 31337n };
/** Whole words, as `newJob` has them. */
const tensor = (count: number) => ({
  minimum: 0,
  maximum: Number.MAX_VALUE,
  layout: { count, bits: 248, isSigned: false, scaleExponent: 0 },
});

type Prove = Prover["prove"];

/** A pass with a prover that fails with `error`, for the model of `newJob`. */
const passOf = (parameters: { database: Database; error: Error }) =>
  passWith({ ...parameters, prove: () => Promise.reject(parameters.error) });

/** A pass of a process of its own, or of one that has this bench, for the model of `newJob`. */
function passWith(parameters: { database: Database; prove: Prove; bench?: Bench; owner?: string }) {
  const { database, prove, bench = new Bench(), owner = "me" } = parameters;
  const { versionId } = newJob({ nonce: 0n });
  const manifest = { hashes: { zkey: "0x" }, input: tensor(2), outputs: [tensor(1)] };
  const prover = { prove } as unknown as Prover;
  return createProvePass({
    database,
    chain: { domain },
    models: [{ provable: [versionId], manifest } as unknown as ServedModel],
    prover,
    owner,
    bench,
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

  it("costs no attempt where the error is of the queue", async () => {
    const error = new DatabaseAwayError({ code: "database.away", message: "gone" });
    const failing = exhaust({ database: store.database, error, passes: 1 });
    await expect(failing).rejects.toThrow(DatabaseAwayError);
    const [row] = await store.database.query("SELECT state, attempts FROM jobs");
    expect(row).toEqual({ state: "accepted", attempts: 0 });
  });
});

/** Nothing of a process is left but what it wrote: its leases run out, and with them the rests of its jobs. */
async function restart(database: Database): Promise<void> {
  await database.query(
    "UPDATE jobs SET leased_by = NULL, leased_until = NULL, run_after = now() WHERE state = 'accepted'",
  );
}

/** A process with two jobs in work at once, which dies when it works on `poison`. Returns whether it died. */
async function live(parameters: {
  database: Database;
  poison: string;
  owner: string;
  started: string[][];
}): Promise<boolean> {
  const { database, poison, owner, started } = parameters;
  const bench = new Bench();
  const inWork: string[] = [];
  started.push(inWork);
  let die = (): void => undefined;
  const death = new Promise<"died">((resolve) => {
    die = () => resolve("died");
  });
  let leave = (): void => undefined;
  /** the other place is over and the poison was not in work: it was given up, or rests */
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  let over = 0;
  // Not before the other place is taken too, or is over.
  const mayDie = (): void => {
    if (inWork.includes(poison) && inWork.length + over === 2) die();
  };
  const passes = [1, 2].map((number) =>
    passWith({
      ...{ database, bench, owner: `${owner}-${number}` },
      async prove() {
        const mine = await database.query("SELECT request_id FROM jobs WHERE leased_by = $1", [
          `${owner}-${number}`,
        ]);
        const requestId = String(mine[0]?.request_id);
        inWork.push(requestId);
        mayDie();
        // Who shares a process with the poison never comes to an end.
        if (requestId === poison) return await new Promise<never>(() => undefined);
        if (!bench.has("alone")) await left;
        inWork.splice(inWork.indexOf(requestId), 1);
        throw new RetryableError({ code: "prover.busy", message: "ended in order" });
      },
    }),
  );
  const running = passes.map(async (pass) => {
    await pass();
    over += 1;
    mayDie();
    if (!inWork.includes(poison)) leave();
  });
  const ended = Promise.all(running).then(() => "ended" as const);
  return (await Promise.race([death, ended])) === "died";
}

describeStores("a job that ends the whole process", (store) => {
  const accept = async (): Promise<string> =>
    (
      await acceptJob({
        database: store.database,
        create: async (nonce) => newJob({ nonce }),
      })
    ).requestId;

  it("is tried on its own after two deaths, and given up after three more; its neighbour is not", async () => {
    const { database } = store;
    const [poison, neighbour] = [await accept(), await accept()];
    const started: string[][] = [];
    let deaths = 0;
    while ((await readJob({ database, requestId: poison }))?.state === "accepted") {
      if (await live({ database, poison, owner: `process ${started.length}`, started })) deaths++;
      await restart(database);
    }
    expect(deaths).toBe(5);
    const [first, second, ...alone] = started.filter((jobs) => jobs.includes(poison));
    expect([first?.length, second?.length]).toEqual([2, 2]);
    expect(alone).toEqual([[poison], [poison], [poison]]);
    expect(await readJob({ database, requestId: poison })).toMatchObject({
      state: "failed",
      failure: {
        code: "prover.processDied",
        message: "5 processes died with this job in work, 3 of them with no other",
      },
    });
    const innocent = await readJob({ database, requestId: neighbour });
    expect(innocent?.state).toBe("accepted");
    expect(innocent?.claimsAlone).toBeLessThan(3);
  });

  it("rests after each death from the second on, while others have their turn", async () => {
    const { database } = store;
    const [poison, other] = [await accept(), await accept()];
    const stage = { state: "accepted" } as const;
    const lease = (owner: string) =>
      leaseJobs({ database, owner, stage, limit: 1, leaseSeconds: 60 });
    const die = () => database.query("UPDATE jobs SET leased_by = NULL, leased_until = NULL");
    for (const owner of ["first", "second"]) {
      expect((await lease(owner))[0]?.requestId).toBe(poison);
      await die();
    }
    expect((await lease("third"))[0]?.requestId).toBe(other);
  });
});

describeStores("a job in work when a proof is demanded", (store) => {
  it("gives way, with the claims and attempts that it had, and nothing is begun before the demanded proof is over", async () => {
    const { database } = store;
    const { proposeClaim, requestId: demanded } = lifeIn(database);
    await proposeClaim();
    const { requestId } = await acceptJob({ database, create: async (nonce) => newJob({ nonce }) });
    const suspicion = { claims: 2, claimsAlone: 1, attempts: 3 };
    await database.query(
      "UPDATE jobs SET claims = 2, claims_alone = 1, attempts = 3 WHERE request_id = $1",
      [requestId],
    );
    const bench = new Bench();
    const begun: (AbortSignal | undefined)[] = [];
    let begin = (): void => undefined;
    const prove: Prove = ({ signal }) =>
      new Promise((_, reject) => {
        begun.push(signal);
        const end = () => reject(new RetryableError({ code: "prover.threadEnded", message: "" }));
        signal?.addEventListener("abort", end);
        begin();
      });
    const started = (): Promise<void> =>
      new Promise((resolve) => {
        begin = resolve;
      });
    const first = started();
    const ordinary = passWith({ database, prove, bench, owner: "first" })();
    await first;
    expect(await readJob({ database, requestId })).toMatchObject({ claims: 3, claimsAlone: 2 });

    const demands = [{ requestId: demanded, deadline: 9n }];
    await noteDemands({ database, pageId: PROPOSED.page.pageId, demands });
    const second = started();
    void passWith({ database, prove, bench, owner: "second" })();
    await second;
    await ordinary;
    expect(begun.map((signal) => signal?.aborted)).toEqual([true, false]);
    const given = await readJob({ database, requestId });
    expect(given).toMatchObject({ state: "accepted", lastError: null, ...suspicion });
    expect(await passWith({ database, prove, bench, owner: "third" })()).toBe(false);
    expect(begun).toHaveLength(2);
  });
});
