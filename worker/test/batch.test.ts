import { Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { readQueueConfig } from "../src/config/readConfig.ts";
import { status } from "../src/status.ts";
import { type Proven, proveJobs, settleByStranger, swapProof } from "./support/batchSteps.ts";
import { infer, type JobView, jobIn, readJob } from "./support/client.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue } from "./support/queues.ts";
import { Testbed } from "./support/testbed.ts";
import type { Settings } from "./support/worker.ts";

let testbed: Testbed;
let account = 0;
beforeAll(async () => {
  testbed = await Testbed.start();
});
beforeEach(() => {
  account = (account % 8) + 1;
});
afterAll(() => testbed.stop());

/** Each takes a worker or two and ten seconds; by default what is like it of single proofs stands for these. */
const isDeep = process.env.HACA_DEEP === "1";
const send = (method: string, ...values: unknown[]) => testbed.chain.send(method, ...values);
const transactionCount = (settings: Settings): Promise<number> =>
  testbed.chain.provider.getTransactionCount(
    new Wallet(settings.HACA_NODE_KEY ?? "").address,
    "latest",
  );
const idsOf = (jobs: readonly Proven[]) => jobs.map(({ requestId }) => requestId);

/** Settings with batches of so many jobs, which wait long for each other unless told otherwise. */
async function settingsOf(size: number, maxAge = "3600000"): Promise<Settings> {
  const settings = await testbed.settings({ account });
  return {
    ...{ ...settings, HACA_BATCH_SIZE: String(size), HACA_BATCH_MAX_AGE: maxAge },
    // What strangers offer in these tests is what the chain asks for next.
    HACA_MAX_FEE_PER_GAS: String(10n ** 15n),
  };
}

/** What is waiting goes at once, however little it is. */
const hurried = (settings: Settings): Settings => ({ ...settings, HACA_BATCH_MAX_AGE: "10" });

async function holdMining(): Promise<void> {
  await send("evm_setAutomine", false);
  onTestFinished(async () => {
    await send("evm_setAutomine", true);
  });
}

/** Waits until jobs are settled, and that each was settled once; returns them. */
async function settledOnce(url: string, requestIds: readonly string[]): Promise<JobView[]> {
  const jobs: JobView[] = [];
  for (const requestId of requestIds) jobs.push(await jobIn(url, requestId, "settled"));
  const counts = await testbed.chain.countSettlements();
  expect(requestIds.map((requestId) => counts.get(requestId))).toEqual(requestIds.map(() => 1));
  return jobs;
}

const transactionsOf = (jobs: readonly JobView[]): Set<string | undefined> =>
  new Set(jobs.map(({ transaction }) => transaction?.hash));

async function failed(url: string, requestId: string): Promise<JobView> {
  return await waitFor(async () => {
    const job = await readJob(url, requestId);
    return job.state === "failed" ? job : undefined;
  });
}

describe("a batch", () => {
  it("is settled by one transaction once it is full, and what is left over once it is old", async () => {
    const settings = { ...(await settingsOf(3)), ...embeddedQueue() };
    const nonce = await transactionCount(settings);
    const worker = testbed.process(settings);
    const url = await worker.url();
    const ids: string[] = [];
    for (let image = 0; image < 4; image++) ids.push((await infer(url, image)).requestId);
    const full = await settledOnce(url, ids.slice(0, 3));
    expect(transactionsOf(full).size).toBe(1);
    const last = ids[3] ?? "";
    await jobIn(url, last, "proven");
    expect(await transactionCount(settings)).toBe(nonce + 1);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('haca_settlement_jobs_sum{kind="zkmlBatch"} 3\n');
    expect(metrics).toContain('haca_settlement_jobs_count{kind="zkmlBatch"} 1\n');
    // Nothing of a batch that forms is lost with the process: the age is the database's.
    await worker.child.stop("SIGKILL");
    const successorUrl = await testbed.worker(hurried(settings)).url();
    await settledOnce(successorUrl, [last]);
    expect(await transactionCount(settings)).toBe(nonce + 2);
  });

  it("is shown as one transaction while it waits", async () => {
    const settings = { ...(await settingsOf(2)), ...embeddedQueue() };
    await proveJobs({ testbed, settings, count: 2 });
    await holdMining();
    const url = await testbed.worker(settings).url();
    const open = await waitFor(async () => {
      const health = (await (await fetch(`${url}/health`)).json()) as { transactions: object[] };
      return health.transactions[0];
    });
    expect(open).toMatchObject({ kind: "zkmlBatch", jobs: 2, requestId: null });
    const config = readQueueConfig({ ...settings, HACA_HTTP_PORT: new URL(url).port });
    expect(await status({ config })).toMatch(/ settlement 0x.{64} of 2 jobs: /);
  });

  it("goes on with the rest where somebody else settled one before", async () => {
    const settings = await settingsOf(3);
    const nonce = await transactionCount(settings);
    const jobs = await proveJobs({ testbed, settings, count: 3 });
    const [first, ...others] = jobs;
    if (first === undefined) throw new Error("no job");
    await (await settleByStranger(testbed, first)).wait();
    const url = await testbed.worker(settings).url();
    const settled = await settledOnce(url, idsOf(jobs));
    expect(settled[0]?.transaction).toBeNull();
    expect(transactionsOf(settled.slice(1)).size).toBe(1);
    expect(others).toHaveLength(2);
    expect(await transactionCount(settings)).toBe(nonce + 1);
  });

  it.runIf(isDeep)(
    "goes on with the rest where somebody else settles one in the block before, or all",
    async () => {
      for (const count of [1, 2]) {
        const settings = await settingsOf(2);
        const nonce = await transactionCount(settings);
        const jobs = await proveJobs({ testbed, settings, count: 2 });
        await holdMining();
        const url = await testbed.worker(settings).url();
        for (const requestId of idsOf(jobs)) await jobIn(url, requestId, "submitted");
        for (const job of jobs.slice(0, count)) await settleByStranger(testbed, job);
        await send("evm_mine");
        await send("evm_setAutomine", true);
        const settled = await settledOnce(url, idsOf(jobs));
        const isOwn = settled.map(({ transaction }) => transaction !== null);
        expect(isOwn).toEqual(jobs.map((_, index) => index >= count));
        expect(await transactionCount(settings)).toBe(nonce + 1);
        account += 1;
      }
    },
  );

  it("is taken apart before it is sent where one of it is invalid: that one fails, the others settle", async () => {
    const settings = await settingsOf(4);
    const nonce = await transactionCount(settings);
    const jobs = await proveJobs({ testbed, settings, count: 4 });
    const [good, , bad] = jobs;
    if (good === undefined || bad === undefined) throw new Error("no jobs");
    await swapProof(settings, bad, good);
    const worker = testbed.worker(settings);
    const url = await worker.url();
    const job = await failed(url, bad.requestId);
    expect(job.failureCode).toMatch(/^revert\./);
    const others = idsOf(jobs).filter((requestId) => requestId !== bad.requestId);
    const settled = await settledOnce(url, others);
    expect(transactionsOf(settled).size).toBe(1);
    expect(await transactionCount(settings)).toBe(nonce + 1);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain("haca_jobs_set_apart_total 1\n");
  });

  it("that reverted is taken apart: who is why fails, the others settle", async () => {
    const settings = { ...(await settingsOf(2)), ...embeddedQueue() };
    const nonce = await transactionCount(settings);
    const prover = testbed.worker(settings, ["infer", "prove"]);
    const url = await prover.url();
    const early = await infer(url);
    const seconds = Number(early.receipt.message.timestamp);
    await waitFor(async () => (Date.now() >= (seconds + 2) * 1000 ? true : undefined));
    const late = await infer(url);
    for (const { requestId } of [early, late]) await jobIn(url, requestId, "proven");
    await prover.child.stop();
    await testbed.crashingWorker(settings, "signed").child.exited;
    // Between the two answers: the transaction with both is signed already.
    await testbed.deprecateAt(seconds + 1);
    const successorUrl = await testbed.worker(settings).url();
    const { failureCode } = await failed(successorUrl, late.requestId);
    expect(failureCode).toBe("revert.InferenceSettlement_VersionDeprecated");
    await settledOnce(successorUrl, [early.requestId]);
    // That of both, and that of one.
    expect(await transactionCount(settings)).toBe(nonce + 2);
  });

  it.runIf(isDeep)("gets another transaction where another one took its nonce", async () => {
    const settings = await settingsOf(2);
    const nonce = await transactionCount(settings);
    const jobs = await proveJobs({ testbed, settings, count: 2 });
    await testbed.crashingWorker(settings, "signed").child.exited;
    const wallet = new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
    await (await wallet.sendTransaction({ to: wallet.address, nonce })).wait();
    const worker = testbed.worker(settings);
    const url = await worker.url();
    await worker.logged("nonce taken by another transaction");
    const settled = await settledOnce(url, idsOf(jobs));
    expect(transactionsOf(settled).size).toBe(1);
    expect(await transactionCount(settings)).toBe(nonce + 2);
  });

  it.runIf(isDeep)(
    "is sent again, the same transaction for all, where a reorganisation took it away",
    async () => {
      const settings = await settingsOf(2);
      const jobs = await proveJobs({ testbed, settings, count: 2 });
      const before = await send("evm_snapshot");
      const worker = testbed.worker(settings);
      const url = await worker.url();
      const first = await settledOnce(url, idsOf(jobs));
      await send("evm_revert", before);
      await worker.logged("block reorganised");
      await send("evm_mine");
      await waitFor(async () => {
        const counts = await testbed.chain.countSettlements();
        return idsOf(jobs).every((requestId) => counts.get(requestId) === 1) ? true : undefined;
      });
      const again = await settledOnce(url, idsOf(jobs));
      expect(transactionsOf(again)).toEqual(transactionsOf(first));
    },
  );

  it("that is too much for the endpoint is halved until it is not", async () => {
    const settings = await settingsOf(4);
    const proxy = await EndpointProxy.start(testbed.chain.url);
    onTestFinished(() => proxy.stop());
    const jobs = await proveJobs({ testbed, settings, count: 4 });
    let length = 0;
    proxy.interfere = ({ method, params }) => {
      if (method !== "eth_estimateGas") return undefined;
      const { data } = params[0] as { data: string };
      length ||= data.length;
      return data.length < length
        ? undefined
        : { error: { code: -32000, message: "gas required exceeds allowance (16777216)" } };
    };
    const url = await testbed.worker({ ...hurried(settings), HACA_RPC_URL: proxy.url }).url();
    const settled = await settledOnce(url, idsOf(jobs));
    expect(transactionsOf(settled).size).toBe(2);
  });
});
