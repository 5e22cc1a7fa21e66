import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { builtProgram } from "./support/builtPrograms.ts";
import {
  allDone,
  ask,
  askMany,
  countTransactions,
  endLeases,
  readStates,
  settlementsOf,
} from "./support/manyJobs.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { findPostgres, PostgresServer } from "./support/postgresServer.ts";
import { waitFor } from "./support/processes.ts";
import { Testbed } from "./support/testbed.ts";
import type { Settings } from "./support/worker.ts";

const installation = findPostgres();
const SCRIPTED = join(import.meta.dirname, "support/scriptedProver.mjs");
const isDeep = process.env.HACA_DEEP === "1";
/** Proofs by snarkjs take several times as long. */
const JOBS_BY_DEFAULT = builtProgram("haca-prover") === undefined ? 18 : 30;
const JOBS = isDeep ? 500 : JOBS_BY_DEFAULT;
const OUTAGE_MS = isDeep ? 30_000 : 2_000;

describe.skipIf(typeof installation === "string")("workers on one PostgreSQL", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.start();
  });
  afterAll(() => testbed.stop());

  async function startWorkers(settings: Settings, count: number) {
    const workers = Array.from({ length: count }, () => testbed.process(settings));
    const urls = await Promise.all(workers.map((worker) => worker.url()));
    return { workers, urls };
  }

  it.each([
    { kind: "zkml", size: 1, account: 1 },
    { kind: "zkmlBatch", size: 4, account: 4 },
  ])(
    `three processes settle each of ${JOBS} jobs exactly once by $kind`,
    { timeout: 900_000 },
    async (row) => {
      const { account, kind, size } = row;
      const databaseUrl = await newDatabase();
      const settings = {
        ...(await testbed.settings({ account })),
        HACA_WORKER_DATABASE_URL: databaseUrl,
        ...{ HACA_BATCH_SIZE: String(size), HACA_BATCH_MAX_AGE: "5000" },
      };
      const { urls, workers } = await startWorkers(settings, 3);
      const ids = await askMany({ urls, count: JOBS });
      expect(new Set(ids).size).toBe(JOBS);
      expect(await allDone(databaseUrl)).toEqual({ settled: JOBS });
      expect(await settlementsOf(testbed.chain, ids)).toEqual(ids.map(() => 1));
      // One nonce for each transaction: nothing was sent in vain, nothing collided.
      const node = ids[0]?.slice(0, 42) ?? "";
      const transactions = await countTransactions(databaseUrl);
      expect(await testbed.chain.provider.getTransactionCount(node)).toBe(transactions.all);
      if (size === 1) expect(transactions).toEqual({ all: JOBS, zkml: JOBS });
      else expect(transactions[kind]).toBeGreaterThan(0);
      for (const worker of size === 1 ? workers : []) {
        expect(worker.child.lines.some((line) => line.includes('"msg":"settled"'))).toBe(true);
      }
      for (const worker of workers) await worker.child.stop();
    },
  );

  it("take over what a killed one had in work, when its lease has run out", async () => {
    const databaseUrl = await newDatabase();
    const settings = {
      ...(await testbed.settings({ account: 3 })),
      HACA_WORKER_DATABASE_URL: databaseUrl,
    };
    const killed = testbed.process({
      ...settings,
      HACA_PROVER: SCRIPTED,
      HACA_TEST_NATIVE_PROVER: '["hang"]',
      HACA_LOG_LEVEL: "debug",
    });
    const { requestId = "" } = await ask(await killed.url());
    await killed.child.waitForLine((line) => / is proving/.exec(line)?.[0]);
    await killed.child.stop("SIGKILL");
    const [successor] = (await startWorkers(settings, 1)).workers;
    // Held as long as the dead one's lease: what comes after it is proven, it is not.
    const later = (await ask((await successor?.url()) ?? "")).requestId ?? "";
    await successor?.child.waitForLine((line) =>
      line.includes('"msg":"settled"') && line.includes(later) ? true : undefined,
    );
    expect(await readStates(databaseUrl)).toEqual({ accepted: 1, settled: 1 });
    await endLeases(databaseUrl);
    expect(await allDone(databaseUrl)).toEqual({ settled: 2 });
    expect(await settlementsOf(testbed.chain, [requestId, later])).toEqual([1, 1]);
  });

  it("lose nothing while the database is gone, and accept nothing", async () => {
    if (typeof installation === "string") return;
    const server = await PostgresServer.start(installation);
    onTestFinished(() => server.remove());
    const settings = {
      ...(await testbed.settings({ account: 2 })),
      HACA_WORKER_DATABASE_URL: await server.createDatabase("queue"),
    };
    const { urls, workers } = await startWorkers(settings, 2);
    const [url = ""] = urls;
    const ids = await askMany({ urls, count: 20 });
    await workers[0]?.logged("settled");
    await server.down();
    const refused = await ask(url);
    expect(refused).toEqual({ status: 503, requestId: undefined });
    const health = async () => (await (await fetch(`${url}/health`)).json()) as object;
    expect(await health()).toMatchObject({ status: "degraded", database: "away", jobs: null });
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    for (const worker of workers) await worker.logged("backing off");
    await delay(OUTAGE_MS);
    await server.up();
    const later = await waitFor(async () => (await ask(url)).requestId);
    const states = await allDone(server.url("queue"));
    const all = [...ids, later];
    expect(await settlementsOf(testbed.chain, all)).toEqual(all.map(() => 1));
    const counts = await testbed.chain.countSettlements();
    const own = [...counts].filter(([id]) => id.startsWith(later.slice(0, 42)));
    expect(own.every(([, count]) => count === 1)).toBe(true);
    expect(states).toEqual({ settled: own.length });
    for (const worker of workers) await worker.child.stop();
  });
});
