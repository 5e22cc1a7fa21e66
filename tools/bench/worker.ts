/** The inference node's fast path, and what a settled job costs beside its proof. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { Steps } from "../../scripts/lib/progress.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { builtProgram } from "../../worker/test/support/builtPrograms.ts";
import { findPostgres, type Installation } from "../../worker/test/support/postgresServer.ts";
import { quantile, round, wholeNumber } from "./figures.ts";
import { BenchStack, type Store } from "./worker/benchStack.ts";
import { measureFastPath } from "./worker/measureFastPath.ts";
import { type JobTimes, measureJobs, measureThroughput } from "./worker/measureJobs.ts";
import { measurePages } from "./worker/measurePages.ts";
import { PageStack } from "./worker/pageStack.ts";

/** Proofs that are settled by one transaction. */
const BATCH_SIZE = 32;

export async function benchWorker(values: {
  requests: string;
  clients: string;
  jobs: string;
  single: string;
  pages: string;
  batches: string;
}): Promise<void> {
  const sizes = {
    requests: wholeNumber({ name: "--requests", text: values.requests }),
    clients: wholeNumber({ name: "--clients", text: values.clients }),
    jobs: wholeNumber({ name: "--jobs", text: values.jobs }),
    single: wholeNumber({ name: "--single", text: values.single }),
    pages: wholeNumber({ name: "--pages", text: values.pages }),
    batches: wholeNumber({ name: "--batches", text: values.batches }),
  };
  const installation = findPostgres();
  const isMissing = typeof installation === "string";
  if (isMissing) console.log(installation);
  const stores: Store[] = isMissing ? ["pglite"] : ["pglite", "postgres"];
  const loadBefore = loadavg()[0] ?? 0;
  const steps = new Steps({ total: 1 + 3 * stores.length + (isMissing ? 0 : 2) });
  const stack = await steps.run("chain, model, databases", () =>
    BenchStack.start({ installation: isMissing ? undefined : installation }),
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.error(`${signal}: stopping`);
      void stack.close().finally(() => process.exit(130));
    });
  }
  try {
    const figures: Record<string, number> = {};
    const samples: Record<string, unknown> = {};
    for (const store of stores)
      await measureStore({ stack, steps, store, sizes, figures, samples });
    if (!isMissing) {
      await measureBatches({ stack, steps, sizes, figures });
      await measureEnclave({ installation, steps, sizes, figures });
    }
    report({ figures, samples, sizes, loadBefore });
  } finally {
    await stack.close();
  }
}

type Sizes = Record<"requests" | "clients" | "jobs" | "single" | "pages" | "batches", number>;

async function measureStore(parameters: {
  stack: BenchStack;
  steps: Steps;
  store: Store;
  sizes: Sizes;
  figures: Record<string, number>;
  samples: Record<string, unknown>;
}): Promise<void> {
  const { figures, samples, sizes, stack, steps, store } = parameters;
  const { clients } = sizes;
  const fast = await steps.run(`${store}: fast path`, async (progress) => {
    const { process, url } = await stack.worker({ store, roles: ["infer"] });
    const { requests } = sizes;
    const measured = await measureFastPath({ url, clients, requests, report: progress });
    await process.child.stop();
    return measured;
  });
  const roles = ["infer", "prove", "settle"];
  const { process, url } = await stack.worker({ store, roles });
  const singles = await steps.run(`${store}: one job at a time`, (progress) =>
    measureJobs({ url, jobs: sizes.single, report: progress }),
  );
  const { settledPerMinute } = await steps.run(`${store}: all jobs at once`, (progress) =>
    measureThroughput({ url, clients, jobs: sizes.jobs, warmUp: 1, report: progress }),
  );
  await process.child.stop();

  figures[`${store}.accepted.perSecond`] = round(fast.perSecond);
  figures[`${store}.accepted.p50Ms`] = round(quantile(fast.latencyMs, 0.5));
  figures[`${store}.accepted.p95Ms`] = round(quantile(fast.latencyMs, 0.95));
  figures[`${store}.settled.perMinute`] = round(settledPerMinute);
  for (const part of Object.keys(singles[0] ?? {}) as (keyof JobTimes)[]) {
    const median = quantile(
      singles.map((times) => times[part]),
      0.5,
    );
    figures[`${store}.job.${part}Ms`] = round(median);
  }
  samples[store] = { latencyMs: fast.latencyMs.map(round), jobs: singles };
}

/** Proofs that share transactions, on PostgreSQL. */
async function measureBatches(parameters: {
  stack: BenchStack;
  steps: Steps;
  sizes: Sizes;
  figures: Record<string, number>;
}): Promise<void> {
  const { figures, sizes, stack, steps } = parameters;
  const settings = { HACA_BATCH_SIZE: String(BATCH_SIZE) };
  const roles = ["infer", "prove", "settle"];
  const { process, url } = await stack.worker({ store: "postgres", roles, settings });
  const measured = await steps.run(`postgres: batches of ${BATCH_SIZE}`, (progress) =>
    measureThroughput({
      ...{ url, clients: sizes.clients, jobs: sizes.batches * BATCH_SIZE, warmUp: BATCH_SIZE },
      report: progress,
    }),
  );
  await process.child.stop();
  figures["zkmlBatch.proved.perMinute"] = round(measured.provedPerMinute);
  figures["zkmlBatch.settled.perMinute"] = round(measured.settledPerMinute);
}

/** Results of an enclave in pages, on PostgreSQL. */
async function measureEnclave(parameters: {
  installation: Installation;
  steps: Steps;
  sizes: Sizes;
  figures: Record<string, number>;
}): Promise<void> {
  const { figures, installation, sizes, steps } = parameters;
  const measured = await steps.run("postgres: results in pages", async (progress) => {
    const stack = await PageStack.start(installation);
    try {
      return await measurePages({ stack, pages: sizes.pages, report: progress });
    } finally {
      await stack.close();
    }
  });
  figures["tee.accepted.perSecond"] = round(measured.acceptedPerSecond);
  figures["tee.settled.perMinute"] = round(measured.settledPerMinute);
}

function report(parameters: {
  figures: Record<string, number>;
  samples: Record<string, unknown>;
  sizes: Sizes;
  loadBefore: number;
}): void {
  const { figures, loadBefore, samples, sizes } = parameters;
  const rows = Object.entries(figures).map(([key, value]) => [key, String(value)]);
  console.log(`\n${formatTable({ columns: ["figure", "value"], rows })}`);
  const path = join(PROJECT_ROOT, "bench", "out", "worker.json");
  mkdirSync(join(path, ".."), { recursive: true });
  const details = {
    how: "one worker process beside its clients, an Anvil that mines at once and, for postgres, its server, all on this machine; every accepted job is on disk before its answer. accepted: role infer alone. job: medians of jobs settled one after another. settled: all jobs at once. zkmlBatch: proofs that share transactions of 32, from the first acceptance to the last proof (proved) and the last settlement (settled). tee: results signed beforehand by an enclave's session key, handed in as lists of 256 and proposed as pages of 256, from the first acceptance until the last page is mined and its jobs are pending: final follows from time alone; the folder of blobs is served by the clients' process.",
    ...sizes,
    backend: builtProgram("haca-prover") === undefined ? "snarkjs" : "native",
    samples,
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, loadBefore: round(loadBefore) },
    versions: { node: process.version },
    date: new Date().toISOString(),
  };
  writeFileSync(path, `${JSON.stringify({ figures, details }, null, 2)}\n`);
  console.log(`\nload before the run: ${loadBefore.toFixed(1)} on ${cpus().length} cores`);
  console.log(`written to ${path}`);
}
