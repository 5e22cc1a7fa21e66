import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { jobIn, readJob } from "./support/client.ts";
import { CRASH_KINDS, type CrashKind, crashKinds } from "./support/crashKinds.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { waitFor } from "./support/processes.ts";
import { TeeChain } from "./support/teeChain.ts";
import { Testbed } from "./support/testbed.ts";
import { LIFE_TRANSITIONS, TRANSITIONS, type Transition } from "./support/transitions.ts";
import type { Settings, WorkerProcess } from "./support/worker.ts";

let testbed: Testbed;
let kinds: CrashKind[];
beforeAll(async () => {
  const tee = await TeeChain.start();
  testbed = await Testbed.start(tee.chain);
  const enclave = tee.enclave("rsa");
  await tee.admit(enclave);
  kinds = crashKinds({ testbed, tee, enclave });
});
afterAll(() => testbed.stop());

function kindOf(name: string): CrashKind {
  const kind = kinds.find((candidate) => candidate.name === name);
  if (kind === undefined) throw new Error(`no kind ${name}`);
  return kind;
}

/** Of an account of its own: the last one is the administrator's of the registry. */
const accountOf = (index: number): number => 1 + (index % 7);
/** What strangers offer in these tests is what the chain asks for next. */
const CEILING: Settings = { HACA_MAX_FEE_PER_GAS: String(10n ** 15n) };
/** The states that a job of this kind goes through. */
const lifeOf = (isProven: boolean): Transition[] =>
  LIFE_TRANSITIONS.filter((transition) => isProven || transition !== "accepted");

describe.each(CRASH_KINDS)("a worker that settles by $kind and is killed", ({ isProven, kind }) => {
  it.each(lifeOf(isProven).map((transition, index) => ({ transition, account: accountOf(index) })))(
    "right after $transition settles every accepted job exactly once",
    async ({ transition, account }) => {
      const { ask, hurried, roles, settings: makeSettings, shown } = kindOf(kind);
      const settings = { ...(await makeSettings(account)), ...CEILING };
      // The account has settled for the other kind before, from another queue.
      const earlier = await testbed.chain.countSettlements();
      const killed = testbed.crashingWorker(settings, transition, roles);
      const url = await killed.url();
      // The first request may die with the worker, the second may never arrive: what counts is the queue.
      const answers = await Promise.allSettled([ask(url, 0), ask(url, 1)]);
      expect(await killed.child.exited).toMatchObject({ signal: "SIGKILL" });
      const answered = answers.flatMap((answer) =>
        answer.status === "fulfilled" ? [answer.value] : [],
      );

      const successor = testbed.worker({ ...settings, ...hurried }, roles);
      const successorUrl = await successor.url();
      const later = await ask(successorUrl, 2);
      const { jobs } = await waitFor(async () => {
        const health = (await (await fetch(`${successorUrl}/health`)).json()) as {
          jobs: Record<string, number>;
        };
        const { accepted, proven, submitted } = health.jobs;
        return accepted === 0 && proven === 0 && submitted === 0 ? health : undefined;
      });

      for (const requestId of [...answered, later]) {
        await jobIn(successorUrl, requestId, "settled", shown);
      }
      const counts = await testbed.chain.countSettlements();
      const node = later.slice(0, 42);
      const own = [...counts].filter(
        ([requestId]) => requestId.startsWith(node) && !earlier.has(requestId),
      );
      expect(jobs).toMatchObject({ settled: own.length, failed: 0 });
      expect(own.length).toBeGreaterThanOrEqual(2);
      expect(own.every(([, count]) => count === 1)).toBe(true);
      await successor.child.stop();
    },
  );
});

/** When a worker is killed, and its settings, which its successor has too: the same queue and account. */
type Death = { settings: Settings; transition: Transition };
/** Leads a worker to a transition that is no job's plain life; returns the jobs that it dies over. */
type Scenario = (death: Death) => Promise<{ requestIds: string[]; worker: WorkerProcess }>;

describe.each(CRASH_KINDS)(
  "a worker that settles by $kind and is killed over jobs in trouble",
  ({ kind, share }) => {
    const send = (method: string, ...values: unknown[]) => testbed.chain.send(method, ...values);
    const walletOf = (settings: Settings) =>
      new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
    /** Above what any replacement in these tests offers. */
    const HIGH_FEES = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n };

    function start(death: Death, extra: Settings = {}): WorkerProcess {
      const { settings, transition } = death;
      return testbed.crashingWorker({ ...settings, ...extra }, transition, kindOf(kind).roles);
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

    /** As many requests as share a transaction. */
    async function ask(url: string): Promise<string[]> {
      const requestIds: string[] = [];
      for (let image = 0; image < share; image++) {
        requestIds.push(await kindOf(kind).ask(url, image));
      }
      return requestIds;
    }

    async function allIn(url: string, requestIds: readonly string[], state: string): Promise<void> {
      const { shown } = kindOf(kind);
      for (const requestId of requestIds) await jobIn(url, requestId, state, shown);
    }

    const unmined =
      (extra: Settings): Scenario =>
      async (death) => {
        await holdMining();
        const worker = start(death, extra);
        return { worker, requestIds: await ask(await worker.url()) };
      };

    /** Refused before it is signed. */
    async function refused(death: Death) {
      const ready = await kindOf(kind).makeReady(death.settings);
      await testbed.deprecateBeforeAnswers();
      return { requestIds: ready.map(({ requestId }) => requestId), worker: start(death) };
    }

    /** Signed for a version that is deprecated before its answer by the chain's clock: mined, and reverted. */
    async function reverted(death: Death) {
      const first = testbed.crashingWorker(death.settings, "signed", kindOf(kind).roles);
      const requestIds = await ask(await first.url());
      await first.child.exited;
      await testbed.deprecateBeforeAnswers();
      return { requestIds, worker: start(death) };
    }

    const scenarios: Partial<Record<Transition, Scenario>> = {
      replaced: unmined({ HACA_REPLACE_MS: "200" }),
      replacementSent: unmined({ HACA_REPLACE_MS: "200" }),

      /** Another transaction of the account takes the nonce of the jobs'. */
      async dropped(death) {
        const { requestIds, worker } = await unmined({})(death);
        const url = await worker.url();
        await seen(worker, () => allIn(url, requestIds, "submitted"));
        const wallet = walletOf(death.settings);
        const nonce = await wallet.getNonce("latest");
        await wallet.sendTransaction({ to: wallet.address, nonce, ...HIGH_FEES });
        await send("evm_mine");
        return { requestIds, worker };
      },

      /** The endpoint forgets a transaction of somebody else, behind which the jobs' waits. */
      async gapFilled(death) {
        await holdMining();
        const wallet = walletOf(death.settings);
        const outside = await wallet.sendTransaction({ to: wallet.address });
        const worker = start(death);
        const url = await worker.url();
        const requestIds = await ask(url);
        await seen(worker, () => allIn(url, requestIds, "submitted"));
        await send("anvil_dropTransaction", outside.hash);
        return { requestIds, worker };
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
        const requestIds = await ask(await worker.url());
        await worker.logged("replaced with higher fees");
        await send("evm_mine");
        return { requestIds, worker };
      },

      mined: reverted,
      failed: refused,
      ...(share === 1 ? {} : { undone: reverted, setApart: refused }),

      async settledElsewhere(death) {
        const ready = await kindOf(kind).makeReady(death.settings);
        for (const job of ready.slice(0, 1)) await (await job.settle()).wait();
        return { requestIds: ready.map(({ requestId }) => requestId), worker: start(death) };
      },

      async reopenedElsewhere(death) {
        const ready = await kindOf(kind).makeReady(death.settings);
        const requestIds = ready.map(({ requestId }) => requestId);
        const before = await send("evm_snapshot");
        for (const job of ready) await (await job.settle()).wait();
        const worker = start(death);
        await allIn(await worker.url(), requestIds, "settled");
        await send("evm_revert", before);
        await send("evm_mine");
        return { requestIds, worker };
      },

      async reorganised(death) {
        const before = await send("evm_snapshot");
        const worker = start(death);
        const url = await worker.url();
        const requestIds = await ask(url);
        await allIn(url, requestIds, "settled");
        await send("evm_revert", before);
        await send("evm_mine");
        return { requestIds, worker };
      },

      async final(death) {
        const worker = start(death, { HACA_REORG_BLOCKS: "1" });
        const url = await worker.url();
        const requestIds = await ask(url);
        await seen(worker, () => allIn(url, requestIds, "settled"));
        await send("evm_mine");
        return { requestIds, worker };
      },
    };
    /** What the contract refuses ends as a failure, everything else settled. */
    const FAILURES: readonly Transition[] = ["mined", "failed", "undone", "setApart"];

    const troubled = TRANSITIONS.filter(
      (name) => !LIFE_TRANSITIONS.some((life) => life === name) && name in scenarios,
    );
    it("by a scenario for every transition that it can make", () => {
      const alone = share === 1 ? ["undone", "setApart"] : [];
      expect([...LIFE_TRANSITIONS, ...troubled, ...alone].sort()).toEqual([...TRANSITIONS].sort());
    });

    it.each(troubled.map((transition, index) => ({ transition, account: accountOf(index) })))(
      "right after $transition leaves them to a successor that ends each once",
      async ({ account, transition }) => {
        const { hurried, roles, settings: makeSettings, shown } = kindOf(kind);
        const settings = {
          ...{ ...(await makeSettings(account)), HACA_REBROADCAST_MS: "200" },
          ...CEILING,
        };
        const scenario = scenarios[transition];
        if (scenario === undefined) throw new Error(`no scenario leads to ${transition}`);
        const { requestIds, worker } = await scenario({ settings, transition });
        expect(await worker.child.exited).toMatchObject({ signal: "SIGKILL" });

        await send("evm_setAutomine", true);
        const successor = testbed.worker({ ...settings, ...hurried }, roles);
        const url = await successor.url();
        await send("evm_mine");
        const isFailure = FAILURES.includes(transition);
        for (const requestId of requestIds) {
          const job = await waitFor(async () => {
            const read = await readJob(url, requestId, shown);
            return read.state === (isFailure ? "failed" : "settled") ? read : undefined;
          });
          // The successor watches deeper: only the dead one can have ended the watch.
          expect(job.times.finalised !== null).toBe(transition === "final");
        }
        // One that was settled elsewhere, and is not any more, shows as settled until the successor has looked.
        const times = await waitFor(async () => {
          const counts = await testbed.chain.countSettlements();
          const seen = requestIds.map((requestId) => counts.get(requestId) ?? 0);
          return isFailure || seen.every((count) => count > 0) ? seen : undefined;
        });
        expect(times).toEqual(requestIds.map(() => (isFailure ? 0 : 1)));
        // Nothing is left that is taken for a transaction on its way.
        await waitFor(async () => {
          const health = (await (await fetch(`${url}/health`)).json()) as {
            transactions: unknown[];
          };
          return health.transactions.length === 0 ? true : undefined;
        });
        await successor.child.stop();
      },
    );
  },
);
