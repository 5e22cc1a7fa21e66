import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { infer, jobIn, readJob } from "./support/client.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { Testbed } from "./support/testbed.ts";
import { LIFE_TRANSITIONS, TRANSITIONS, type Transition } from "./support/transitions.ts";
import type { Settings, WorkerProcess } from "./support/worker.ts";

let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.start();
});
afterAll(() => testbed.stop());

describe("a worker that is killed", () => {
  it.each(LIFE_TRANSITIONS.map((transition, index) => ({ transition, account: index + 1 })))(
    "right after $transition settles every accepted job exactly once",
    async ({ transition, account }) => {
      const settings = await testbed.settings({ account });
      const killed = testbed.crashingWorker(settings, transition);
      const url = await killed.url();
      // The first request may die with the worker, the second may never arrive: what counts is the queue.
      const answers = await Promise.allSettled([infer(url, 0), infer(url, 1)]);
      expect(await killed.child.exited).toMatchObject({ signal: "SIGKILL" });
      const answered = answers.flatMap((answer) =>
        answer.status === "fulfilled" ? [answer.value.requestId] : [],
      );

      const successor = testbed.worker(settings);
      const successorUrl = await successor.url();
      const later = await infer(successorUrl, 2);
      const { jobs } = await waitFor(async () => {
        const health = (await (await fetch(`${successorUrl}/health`)).json()) as {
          jobs: Record<string, number>;
        };
        const { accepted, proven, submitted } = health.jobs;
        return accepted === 0 && proven === 0 && submitted === 0 ? health : undefined;
      });

      for (const requestId of [...answered, later.requestId]) {
        await jobIn(successorUrl, requestId, "settled");
      }
      const counts = await testbed.chain.countSettlements();
      const node = later.requestId.slice(0, 42);
      const own = [...counts].filter(([requestId]) => requestId.startsWith(node));
      expect(jobs).toMatchObject({ settled: own.length, failed: 0 });
      expect(own.length).toBeGreaterThanOrEqual(2);
      expect(own.every(([, count]) => count === 1)).toBe(true);
      await successor.child.stop();
    },
  );
});

/** When a worker is killed, and its settings, which its successor has too: the same queue and account. */
type Death = { settings: Settings; transition: Transition };
/** Leads a worker to a transition that is no job's plain life; returns the job that it dies over. */
type Scenario = (death: Death) => Promise<{ requestId: string; worker: WorkerProcess }>;

describe("a worker that is killed over a job in trouble", () => {
  const send = (method: string, ...values: unknown[]) => testbed.chain.send(method, ...values);
  const walletOf = (settings: Settings) =>
    new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
  /** Above what any replacement in these tests offers. */
  const HIGH_FEES = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n };

  function start(death: Death, extra: Settings = {}): WorkerProcess {
    const { settings, transition } = death;
    return testbed.crashingWorker({ ...settings, ...extra }, transition);
  }

  /** Nothing is mined until the successor runs. */
  async function holdMining(): Promise<void> {
    await send("evm_setAutomine", false);
    onTestFinished(async () => {
      await send("evm_setAutomine", true);
    });
  }

  /** Waits for a state that the worker may not live to show. */
  async function seen(worker: WorkerProcess, look: () => Promise<unknown>): Promise<void> {
    await look().catch((error: unknown) => {
      if (!worker.child.hasEnded) throw error;
    });
  }

  const unmined =
    (extra: Settings): Scenario =>
    async (death) => {
      await holdMining();
      const worker = start(death, extra);
      return { worker, requestId: (await infer(await worker.url())).requestId };
    };

  /** A job with a proof, and what anybody needs to settle it. */
  async function prove(settings: Settings) {
    const prover = testbed.worker(settings, ["infer", "prove"]);
    const url = await prover.url();
    const { receipt, requestId } = await infer(url);
    const { proof } = await jobIn(url, requestId, "proven");
    await prover.child.stop();
    return { requestId, proof, receipt };
  }

  /** Somebody else settles a proven job. */
  async function settleElsewhere(proven: Awaited<ReturnType<typeof prove>>): Promise<void> {
    const { inputWords, message, outputWords, signature } = proven.receipt;
    const stranger = new Wallet(developmentKey(9), testbed.chain.provider);
    const { address } = testbed.chain.book.contracts.InferenceSettlement;
    const settlement = contractAt({ name: "InferenceSettlement", address, runner: stranger });
    const words = [...inputWords, ...outputWords];
    await (await settlement.settleZkml(message, words, proven.proof ?? "0x", signature)).wait();
  }

  const scenarios: Partial<Record<Transition, Scenario>> = {
    replaced: unmined({ HACA_REPLACE_MS: "200" }),
    replacementSent: unmined({ HACA_REPLACE_MS: "200" }),

    /** Another transaction of the account takes the nonce of the job's. */
    async dropped(death) {
      const { requestId, worker } = await unmined({})(death);
      const url = await worker.url();
      await seen(worker, () => jobIn(url, requestId, "submitted"));
      const wallet = walletOf(death.settings);
      const nonce = await wallet.getNonce("latest");
      await wallet.sendTransaction({ to: wallet.address, nonce, ...HIGH_FEES });
      await send("evm_mine");
      return { requestId, worker };
    },

    /** The endpoint forgets a transaction of somebody else, behind which the job's waits. */
    async gapFilled(death) {
      await holdMining();
      const wallet = walletOf(death.settings);
      const outside = await wallet.sendTransaction({ to: wallet.address });
      const worker = start(death);
      const url = await worker.url();
      const { requestId } = await infer(url);
      await seen(worker, () => jobIn(url, requestId, "submitted"));
      await send("anvil_dropTransaction", outside.hash);
      return { requestId, worker };
    },

    /** The endpoint takes the first attempt only, and says that it took the others. */
    async promoted(death) {
      const proxy = await EndpointProxy.start(testbed.chain.url);
      onTestFinished(() => proxy.stop());
      await holdMining();
      const worker = start(death, { HACA_RPC_URL: proxy.url, HACA_REPLACE_MS: "200" });
      let first: unknown;
      proxy.interfere = ({ method, params }) => {
        if (method !== "eth_sendRawTransaction") return undefined;
        first ??= params[0];
        return params[0] === first ? undefined : { result: `0x${"00".repeat(32)}` };
      };
      const { requestId } = await infer(await worker.url());
      await worker.logged("replaced with higher fees");
      await send("evm_mine");
      return { requestId, worker };
    },

    /** Signed for a version that is deprecated before its answer by the chain's clock: mined, and reverted. */
    async mined(death) {
      const first = testbed.crashingWorker(death.settings, "signed");
      const { requestId } = await infer(await first.url());
      await first.child.exited;
      await testbed.deprecateBeforeAnswers();
      return { requestId, worker: start(death) };
    },

    /** Refused before it is signed. */
    async failed(death) {
      const { requestId } = await prove(death.settings);
      await testbed.deprecateBeforeAnswers();
      return { requestId, worker: start(death) };
    },

    async settledElsewhere(death) {
      const proven = await prove(death.settings);
      await settleElsewhere(proven);
      return { requestId: proven.requestId, worker: start(death) };
    },

    async reopenedElsewhere(death) {
      const proven = await prove(death.settings);
      const before = await send("evm_snapshot");
      await settleElsewhere(proven);
      const worker = start(death);
      await jobIn(await worker.url(), proven.requestId, "settled");
      await send("evm_revert", before);
      await send("evm_mine");
      return { requestId: proven.requestId, worker };
    },

    async reorganised(death) {
      const before = await send("evm_snapshot");
      const worker = start(death);
      const url = await worker.url();
      const { requestId } = await infer(url);
      await jobIn(url, requestId, "settled");
      await send("evm_revert", before);
      await send("evm_mine");
      return { requestId, worker };
    },

    async final(death) {
      const worker = start(death, { HACA_REORG_BLOCKS: "1" });
      const url = await worker.url();
      const { requestId } = await infer(url);
      await seen(worker, () => jobIn(url, requestId, "settled"));
      await send("evm_mine");
      return { requestId, worker };
    },
  };
  /** What the contract refuses ends as a failure, everything else settled. */
  const FAILURES: readonly Transition[] = ["mined", "failed"];

  const troubled = TRANSITIONS.filter((name) => !LIFE_TRANSITIONS.some((life) => life === name));
  it.each(troubled.map((transition, index) => ({ transition, account: 1 + (index % 8) })))(
    "right after $transition leaves it to a successor that ends it once",
    async ({ account, transition }) => {
      const settings = { ...(await testbed.settings({ account })), HACA_REBROADCAST_MS: "200" };
      const scenario = scenarios[transition];
      if (scenario === undefined) throw new Error(`no scenario leads to ${transition}`);
      const { requestId, worker } = await scenario({ settings, transition });
      expect(await worker.child.exited).toMatchObject({ signal: "SIGKILL" });

      await send("evm_setAutomine", true);
      const successor = testbed.worker(settings);
      const url = await successor.url();
      await send("evm_mine");
      const isFailure = FAILURES.includes(transition);
      const job = await waitFor(async () => {
        const read = await readJob(url, requestId);
        return read.state === (isFailure ? "failed" : "settled") ? read : undefined;
      });
      expect(job.failureCode).toBe(
        isFailure ? "revert.InferenceSettlement_VersionDeprecated" : null,
      );
      // The successor watches deeper: only the dead one can have ended the watch.
      expect(job.times.finalised !== null).toBe(transition === "final");
      const counts = await testbed.chain.countSettlements();
      expect(counts.get(requestId) ?? 0).toBe(isFailure ? 0 : 1);
      // Nothing is left that is taken for a transaction on its way.
      const health = (await (await fetch(`${url}/health`)).json()) as { transactions: unknown[] };
      expect(health.transactions).toEqual([]);
      await successor.child.stop();
    },
  );
});
