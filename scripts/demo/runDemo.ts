import { rmSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import type { ProcessGroup } from "../lib/processGroup.ts";
import { Steps } from "../lib/progress.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { CHAIN_ID, startChain } from "./localChain.ts";
import type { DemoOptions } from "./options.ts";
import { querySettlements, queryState } from "./querySettlements.ts";
import { describeAccuracy, kindsTable, reportTable } from "./reportTable.ts";
import { type Answered, sendSamples } from "./sendSamples.ts";
import { startBlobs } from "./startBlobs.ts";
import { startIndexer } from "./startIndexer.ts";
import { startWorker } from "./startWorker.ts";
import { testSamples } from "./testSamples.ts";
import { type Job, waitForJobs } from "./waitForJobs.ts";

export type DemoUrls = { chain: string; worker: string; indexer: string };

/** How long a step may wait for a process before the demo gives up. */
const START_TIMEOUT_MS = 120_000;
const SETTLE_TIMEOUT_MS_PER_SAMPLE = 60_000;
/** Accounts of the two nodes on the local chain. */
const NODE = 1;
const BATCHING_NODE = 4;
const BATCH = 8;
const PAGE = 16;
/** Steps before those of the validators. */
const STEPS = 14;
const STORY_STEPS = 5;

/** The whole path, from an empty chain to a table read back from the indexer. */
export async function runDemo(parameters: {
  options: DemoOptions;
  group: ProcessGroup;
  /** empty folder for this run's databases and logs */
  runFolder: string;
}): Promise<DemoUrls> {
  const { options, group, runFolder } = parameters;
  const { model, count } = options;
  const samples = testSamples({ model, count });
  const steps = new Steps({ total: STEPS + STORY_STEPS });
  const started = Date.now();

  await steps.run("compile the contracts", () =>
    group.run({ name: "build", command: "npm", arguments: ["run", "--silent", "build"] }),
  );

  const chain = await steps.run("start a local chain and deploy", async (report) => {
    const url = await startChain({ group, timeoutMs: START_TIMEOUT_MS });
    report("deploying");
    await group.run({
      name: "deploy",
      command: process.execPath,
      arguments: ["scripts/deploy/cli.ts", "--network", "localhost", "--part", "tee"],
      environment: { HACA_RPC_URL: url },
    });
    console.log(`      address book: deployments/${CHAIN_ID}.json`);
    return url;
  });

  const enclaves = await steps.run("verify and admit two simulated enclaves", async (report) => {
    // Imported here because it needs the ABIs, which the first step generates.
    const { admitEnclaves } = await import("./admitEnclaves.ts");
    return await admitEnclaves({ rpcUrl: chain, report });
  });

  const enclave = await steps.run(
    "deploy token and pages, hand everything over, and revoke one's image as guardian",
    async (report) => {
      report("deploying");
      await group.run({
        name: "governance",
        command: process.execPath,
        arguments: ["scripts/deploy/cli.ts", "--network", "localhost"],
        environment: { HACA_RPC_URL: chain },
      });
      const { revokeSecondImage } = await import("./admitEnclaves.ts");
      return await revokeSecondImage({ rpcUrl: chain, enclaves });
    },
  );

  const folder = join(PROJECT_ROOT, "data", "models", model);
  const { scaleExponent } = await steps.run(
    `compile the model ${model} to a circuit with keys, and register it`,
    async (report) => {
      // Imported here for the same reason.
      const { prepareModel } = await import("./prepareModel.ts");
      return await prepareModel({ model, folder, rpcUrl: chain, report });
    },
  );

  const { blobsUrl, indexer, worker } = await steps.run(
    "start a blob store, the indexer and the worker",
    async (report) => {
      report("waiting for them to be ready");
      const timeoutMs = START_TIMEOUT_MS;
      const blobsUrl = await startBlobs({ group, runFolder, timeoutMs });
      const [indexer, worker] = await Promise.all([
        startIndexer({ group, runFolder, rpcUrl: chain, blobsUrl, timeoutMs }),
        startWorker({
          ...{ group, name: "worker", account: NODE, settings: { HACA_MODELS: folder } },
          ...{ runFolder, rpcUrl: chain, timeoutMs },
        }),
      ]);
      return { blobsUrl, indexer, worker };
    },
  );

  const answered: Answered[] = await steps.run(
    `send ${count} test samples to the inference node`,
    () => sendSamples({ workerUrl: worker, model, samples }),
  );
  const requestIds = answered.map(({ requestId }) => requestId);

  const jobs: Job[] = await steps.run("prove and settle every one", (report) =>
    waitForJobs({
      ...{ group, name: "worker" },
      workerUrl: worker,
      requestIds,
      report,
      timeoutMs: SETTLE_TIMEOUT_MS_PER_SAMPLE * count,
    }),
  );

  /** Settlements of these requests, once the indexer has all of them. */
  const indexed = (requestIds: readonly string[]) =>
    group.waitFor({
      name: "indexer",
      timeoutMs: START_TIMEOUT_MS,
      probe: async () => {
        const found = await querySettlements({ indexerUrl: indexer, requestIds });
        return found.length === requestIds.length ? found : undefined;
      },
    });
  const settlements = await steps.run("wait for the indexer", () => indexed(requestIds));

  const { allCorrect } = await steps.run("read the result from the indexer's GraphQL", async () => {
    const table = reportTable({ settlements, answered, jobs, scaleExponent });
    console.log(`\n${table.text}\n`);
    return table;
  });

  const batch = await steps.run(
    `settle ${BATCH} more in one transaction, as another node`,
    async (report) => {
      const name = "batching-worker";
      const workerUrl = await startWorker({
        ...{ group, name, account: BATCHING_NODE },
        settings: { HACA_MODELS: folder, HACA_BATCH_SIZE: String(BATCH) },
        ...{ runFolder, rpcUrl: chain, timeoutMs: START_TIMEOUT_MS },
      });
      const samples = testSamples({ model, count: BATCH });
      const sent = await sendSamples({ workerUrl, model, samples });
      const requestIds = sent.map(({ requestId }) => requestId);
      const timeoutMs = SETTLE_TIMEOUT_MS_PER_SAMPLE * BATCH;
      await waitForJobs({ group, name, workerUrl, requestIds, report, timeoutMs });
      return await indexed(requestIds);
    },
  );
  const signed = await steps.run(
    "settle an answer that the enclave signed, of a model without a circuit",
    async () => {
      // Imported here because it needs the ABIs.
      const { settleByEnclave } = await import("./enclaveAnswers.ts");
      return await indexed([await settleByEnclave({ rpcUrl: chain, enclave })]);
    },
  );
  const paged = await steps.run(
    `propose ${PAGE} more answers of the enclave as one page, which can be challenged`,
    async (report) => {
      const { settlePage } = await import("./settlePage.ts");
      const requestIds = await settlePage({
        ...{ group, runFolder, rpcUrl: chain, blobsUrl, enclave, count: PAGE, report },
        timeoutMs: START_TIMEOUT_MS,
      });
      const found = await indexed(requestIds);
      return await Promise.all(
        found.map(async (row) => {
          const state = await queryState({ indexerUrl: indexer, requestId: row.requestId });
          return { ...row, state };
        }),
      );
    },
  );
  console.log(`\n${kindsTable([...settlements, ...batch, ...signed, ...paged])}\n`);
  const allVerified = [...batch, ...signed].every(
    ({ state, verified }) => verified && state === "settled",
  );

  await steps.run("a price that three data nodes observe, for contracts", async (report) => {
    // Imported here because it needs the ABIs.
    const { tellOfFeeds } = await import("./feeds/tellOfFeeds.ts");
    await tellOfFeeds({ rpcUrl: chain, enclave, report });
  });

  const { tellOfValidators } = await import("./validators/validatorStory.ts");
  await tellOfValidators({
    ...{ steps, group, runFolder, rpcUrl: chain, blobsUrl, enclave, model, folder },
  });

  const gas = settlements.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0);
  const latencies = answered.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  console.log(
    `${settlements.length} of ${count} settled and indexed, every proof verified on-chain; ` +
      `${describeAccuracy(answered)}.`,
  );
  console.log(
    `Mean gas ${Math.round(gas / count).toLocaleString("en")}; ` +
      `median answer ${latencies[Math.floor(count / 2)]?.toFixed(1)} ms; ` +
      `whole run ${((Date.now() - started) / 1000).toFixed(0)} s.`,
  );
  const isPending = paged.every(({ pageId, state }) => pageId !== null && /^pending/.test(state));
  if (!allCorrect || !allVerified || !isPending) {
    throw new BaseError({
      code: "demo.mismatch",
      message: "what the indexer shows is not what was sent and answered",
    });
  }
  return { chain, worker, indexer };
}

/** Removes a run's databases and logs. */
export function discardRun(runFolder: string): void {
  rmSync(runFolder, { recursive: true, force: true });
}
