import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import "./support/fullDisk.mjs";
import { acceptJob, claimIdentity } from "../src/jobs/acceptJob.ts";
import { countJobs } from "../src/jobs/readJobs.ts";
import type { Database } from "../src/storage/database.ts";
import { DatabaseAwayError } from "../src/storage/databaseFailure.ts";
import { migrate } from "../src/storage/migrate.ts";
import { openPglite } from "../src/storage/openPglite.ts";
import { ask } from "./support/manyJobs.ts";
import { newJob } from "./support/newJob.ts";
import { waitFor } from "./support/processes.ts";
import { IDENTITY } from "./support/stores.ts";
import { temporaryQueue } from "./support/temporaryFolder.ts";
import { Testbed } from "./support/testbed.ts";

const PRELOAD = join(import.meta.dirname, "support/fullDisk.mjs");

/** Files that this process has open, each as often as it has. */
function filesInUse(): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // That of the listing itself is gone by now.
      return [];
    }
  });
}

/** A disk that can be filled and emptied; `every write` is refused or only what lets a file grow. */
function newDisk(): { folder: string; fill(every?: "every write"): void; empty(): void } {
  const folder = temporaryQueue();
  const flag = join(folder, "full");
  return {
    folder,
    fill: (every) => writeFileSync(flag, every ?? ""),
    empty: () => rmSync(flag),
  };
}

describe("the embedded database on a disk without room", () => {
  async function open() {
    const disk = newDisk();
    vi.stubEnv("HACA_TEST_FULL_DISK", disk.folder);
    const database = await openPglite({ folder: disk.folder, restMs: 0 });
    await migrate({ database });
    await claimIdentity({ database, identity: IDENTITY });
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await database.close();
    });
    return { database, ...disk };
  }
  const accept = (database: Database) =>
    acceptJob({ database, create: async (nonce) => newJob({ nonce }) });
  const accepted = async (database: Database) => (await countJobs({ database })).states.accepted;

  it("refuses what it cannot store, and goes on when there is room", async () => {
    const { database, empty, fill } = await open();
    await accept(database);
    fill();
    // Larger than what is free within the pages of the tables.
    const words = Array.from({ length: 4_000 }, (_, index) => 7n ** BigInt(index % 90));
    const large = acceptJob({
      database,
      create: async (nonce) => ({ ...newJob({ nonce }), inputWords: words }),
    });
    await expect(large).rejects.toThrow(DatabaseAwayError);
    await expect(large).rejects.toThrow(/^HACA_DATA_DIR: .*No space left on device/);
    expect(await accepted(database)).toBe(1);
    empty();
    expect((await accept(database)).nonce).toBe(1n);
  });

  it("is started again after its log could not grow, with every job that was acknowledged", async () => {
    const { database, empty, fill, folder } = await open();
    await accept(database);
    fill();
    // The next commit needs a new file of the log.
    await database.query("SELECT pg_switch_wal()").catch(() => undefined);
    await expect(accept(database)).rejects.toThrow(DatabaseAwayError);
    await expect(accept(database)).rejects.toThrow(/HACA_DATA_DIR: the embedded database ended/);
    empty();
    expect((await accept(database)).nonce).toBe(1n);
    expect(await accepted(database)).toBe(2);
    if (process.platform !== "linux") return;
    const inUse = filesInUse().filter((path) => path.startsWith(folder));
    expect(inUse.length).toBe(new Set(inUse).size);
  });

  it("rests between two starts while the disk stays full", async () => {
    const disk = newDisk();
    vi.stubEnv("HACA_TEST_FULL_DISK", disk.folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const database = await openPglite({ folder: disk.folder, restMs: 3_600_000 });
    onTestFinished(() => database.close());
    disk.fill("every write");
    const write = database.query("SELECT pg_logical_emit_message(true, 'test', 'text')");
    await expect(write).rejects.toThrow(/Aborted/);
    await expect(database.query("SELECT 1")).rejects.toThrow(/PGlite failed to initialize/);
    disk.empty();
    await expect(database.query("SELECT 1")).rejects.toThrow(DatabaseAwayError);
  });
});

describe("a worker on a disk without room", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.start();
  });
  afterAll(() => testbed.stop());

  it("acknowledges nothing that is not on disk, and goes on by itself", async () => {
    const { empty, fill, folder } = newDisk();
    const settings = await testbed.settings({ account: 1 });
    const worker = testbed.process({
      ...settings,
      ...{ HACA_DATA_DIR: folder, HACA_WORKER_DATABASE_URL: "" },
      HACA_TEST_FULL_DISK: folder,
      NODE_OPTIONS: `--import ${PRELOAD}`,
    });
    const url = await worker.url();
    const health = async () => (await (await fetch(`${url}/health`)).json()) as object;
    const before = await ask(url);
    fill("every write");
    expect(await ask(url)).toEqual({ status: 503, requestId: undefined });
    expect(await health()).toMatchObject({ status: "degraded", database: "away", jobs: null });
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    await worker.logged("backing off");
    empty();
    const later = await waitFor(async () => (await ask(url)).requestId);
    const jobs = await waitFor(async () => {
      const { jobs } = (await health()) as { jobs: Record<string, number> };
      return jobs.accepted === 0 && jobs.proven === 0 && jobs.submitted === 0 ? jobs : undefined;
    });
    const counts = await testbed.chain.countSettlements();
    expect([before.requestId, later].map((id) => counts.get(id ?? ""))).toEqual([1, 1]);
    expect(jobs).toMatchObject({ settled: counts.size, failed: 0 });
  });
});
