import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { jobIn, readJob } from "./client.ts";
import { CRASH_KINDS, type CrashKind, deathsOf, startCrashKinds } from "./crashKinds.ts";
import { EndpointProxy } from "./endpointProxy.ts";
import { waitFor } from "./processes.ts";
import { endLeasesOf, mortalQueue } from "./queues.ts";
import type { Testbed } from "./testbed.ts";
import { LIFE_TRANSITIONS, TRANSITIONS, type Transition } from "./transitions.ts";
import type { Settings, TestWorker } from "./worker.ts";

/** Of these each has an enclave, and what it needs for pages. The next one is the administrator's of the registry. */
const ACCOUNTS = [1, 2, 3, 4, 5, 6, 7];

const isDeep = process.env.HACA_DEEP === "1";

/**
 * Kills workers that settle by one kind after transitions that it can make. One kind a file: pages move the chain's clock
 * on by days, which the next kind's requests would not survive.
 */
export function describeCrashes(name: CrashKind["name"]): void {
  const deaths = deathsOf(name, isDeep);
  let testbed: Testbed;
  let kinds: readonly CrashKind[];
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ kinds, stop, testbed } = await startCrashKinds(ACCOUNTS));
  });
  afterAll(() => stop());

  function kindOf(name: string): CrashKind {
    const kind = kinds.find((candidate) => candidate.name === name);
    if (kind === undefined) throw new Error(`no kind ${name}`);
    return kind;
  }

  const accountOf = (index: number): number => 1 + (index % ACCOUNTS.length);
  /** What strangers offer in these tests is what the chain asks for next. */
  const CEILING: Settings = { HACA_MAX_FEE_PER_GAS: String(10n ** 15n) };
  async function buried(settings: Settings, worker: TestWorker): Promise<void> {
    expect(await worker.child.exited).toMatchObject({ signal: "SIGKILL" });
    await endLeasesOf(settings);
  }

  /** Waits for what the worker may not live to show. */
  async function seen(worker: TestWorker, look: () => Promise<unknown>): Promise<void> {
    await look().catch((error: unknown) => {
      if (!worker.child.hasEnded) throw error;
    });
  }

  describe.each(CRASH_KINDS.filter(({ kind }) => kind === name))(
    "a worker that settles by $kind and is killed",
    ({ kind }) => {
      const life = LIFE_TRANSITIONS.filter((transition) => deaths.includes(transition));
      it.each(life.map((transition, index) => ({ transition, index, account: accountOf(index) })))(
        "right after $transition settles every accepted job exactly once",
        async ({ transition, index, account }) => {
          const { ask, finish, hurried, roles, shown, ...of } = kindOf(kind);
          const settings = { ...(await of.settings(account)), ...CEILING, ...mortalQueue(index) };
          // The account has settled for the other kind before, from another queue.
          const earlier = await testbed.chain.countSettlements();
          const killed = testbed.crashingWorker(settings, transition, roles);
          const url = await killed.url();
          // The first request may die with the worker, the second may never arrive: what counts is the queue.
          const asked = Promise.allSettled([ask(url, 0), ask(url, 1)]);
          if (transition === "settled") await finishLanded({ asked, kind, url, worker: killed });
          const answers = await asked;
          await buried(settings, killed);
          const answered = answers.flatMap((answer) =>
            answer.status === "fulfilled" ? [answer.value] : [],
          );

          const successor = testbed.worker({ ...settings, ...hurried }, roles);
          const successorUrl = await successor.url();
          const later = await ask(successorUrl, 2);
          await waitFor(async () => {
            const { accepted, proven, submitted } = (await readHealth(successorUrl)).jobs;
            return accepted === 0 && proven === 0 && submitted === 0 ? true : undefined;
          });

          await finish();
          for (const requestId of [...answered, later]) {
            await jobIn(successorUrl, requestId, "settled", shown);
          }
          const { jobs } = await readHealth(successorUrl);
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
    },
  );

  type Health = { jobs: Record<string, number>; transactions: unknown[] };
  const readHealth = async (url: string): Promise<Health> =>
    (await (await fetch(`${url}/health`)).json()) as Health;

  /** Has what lands become settled, in a worker that is killed right then. */
  async function finishLanded(parameters: {
    asked: Promise<PromiseSettledResult<string>[]>;
    kind: string;
    url: string;
    worker: TestWorker;
  }): Promise<void> {
    const { asked, kind, url, worker } = parameters;
    const { finish, landed, shown } = kindOf(kind);
    if (landed === "settled") return;
    for (const answer of await asked) {
      if (answer.status === "rejected") continue;
      await seen(worker, () => jobIn(url, answer.value, landed, shown));
    }
    await finish();
  }

  /** When a worker is killed, and its settings, which its successor has too: the same queue and account. */
  type Death = { settings: Settings; transition: Transition };
  /** Leads a worker to a transition that is no job's plain life; returns the jobs that it dies over. */
  type Scenario = (death: Death) => Promise<{ requestIds: string[]; worker: TestWorker }>;

  describe.each(CRASH_KINDS.filter(({ kind }) => kind === name))(
    "a worker that settles by $kind and is killed over jobs in trouble",
    ({ kind, never, share }) => {
      const send = (method: string, ...values: unknown[]) => testbed.chain.send(method, ...values);
      const walletOf = (settings: Settings) =>
        new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
      /** Above what any replacement in these tests offers. */
      const HIGH_FEES = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n };

      function start(death: Death, extra: Settings = {}): TestWorker {
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

      /** As many requests as share a transaction. */
      async function ask(url: string): Promise<string[]> {
        const requestIds: string[] = [];
        for (let image = 0; image < share; image++) {
          requestIds.push(await kindOf(kind).ask(url, image));
        }
        return requestIds;
      }

      async function allIn(
        url: string,
        requestIds: readonly string[],
        state: string,
      ): Promise<void> {
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
        const latest = await testbed.chain.provider.getBlock("latest");
        // The second of the deprecation: a page, too, waits only for results that are younger than its block.
        const ready = await kindOf(kind).makeReady(
          death.settings,
          BigInt(latest?.timestamp ?? 0) + 1n,
        );
        await testbed.deprecateBeforeAnswers();
        return { requestIds: ready.map(({ requestId }) => requestId), worker: start(death) };
      }

      /** Signed before the contract would refuse it: mined, and reverted. */
      async function reverted(death: Death) {
        const first = testbed.crashingWorker(death.settings, "signed", kindOf(kind).roles);
        const requestIds = await ask(await first.url());
        await buried(death.settings, first);
        await kindOf(kind).refuse();
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
        undone: reverted,
        setApart: refused,

        async rejected(death) {
          const worker = start(death);
          const url = await worker.url();
          const requestIds = await ask(url);
          await allIn(url, requestIds, "pending");
          await kindOf(kind).reject?.(url, requestIds[0] ?? "");
          return { requestIds, worker };
        },

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
          await allIn(url, requestIds, kindOf(kind).landed);
          await send("evm_revert", before);
          await send("evm_mine");
          return { requestIds, worker };
        },

        async final(death) {
          const worker = start(death, { HACA_REORG_BLOCKS: "1" });
          const url = await worker.url();
          const requestIds = await ask(url);
          await seen(worker, () => allIn(url, requestIds, kindOf(kind).landed));
          await kindOf(kind).finish();
          await send("evm_mine");
          return { requestIds, worker };
        },
      };
      /** What the contract refuses for good ends as a failure, everything else settled. */
      const REVERTED: readonly Transition[] = ["mined", "undone"];
      const REFUSED: readonly Transition[] = ["failed", "setApart"];

      const troubled = TRANSITIONS.filter((name) => name in scenarios && !never.includes(name));
      it("by a scenario for every transition that it can make", () => {
        const all = new Set<string>([...LIFE_TRANSITIONS, ...troubled, ...never]);
        expect([...all].sort()).toEqual([...TRANSITIONS].sort());
      });

      const tried = troubled.filter((transition) => deaths.includes(transition));
      it.each(tried.map((transition, index) => ({ transition, index, account: accountOf(index) })))(
        "right after $transition leaves them to a successor that ends each once",
        async ({ account, index, transition }) => {
          const { finish, hurried, landed, relent, roles, shown, ...of } = kindOf(kind);
          const settings = {
            ...{ ...(await of.settings(account)), HACA_REBROADCAST_MS: "200" },
            ...CEILING,
            ...mortalQueue(index),
          };
          const scenario = scenarios[transition];
          if (scenario === undefined) throw new Error(`no scenario leads to ${transition}`);
          const { requestIds, worker } = await scenario({ settings, transition });
          await buried(settings, worker);

          await send("evm_setAutomine", true);
          await relent?.();
          const successor = testbed.worker({ ...settings, ...hurried }, roles);
          const url = await successor.url();
          await send("evm_mine");
          const isReverted = REVERTED.includes(transition) && relent === undefined;
          const isFailure = isReverted || REFUSED.includes(transition);
          const onWay = isFailure ? [] : requestIds;
          for (const requestId of onWay) {
            await waitFor(async () => {
              const { state } = await readJob(url, requestId, shown);
              return state === landed || state === "settled" ? true : undefined;
            });
          }
          await finish();
          for (const requestId of requestIds) {
            const job = await waitFor(async () => {
              const read = await readJob(url, requestId, shown);
              return read.state === (isFailure ? "failed" : "settled") ? read : undefined;
            });
            // The successor watches deeper: only the dead one can have ended the watch, but of a page, which time ends.
            if (landed === "settled") {
              expect(job.times.finalised !== null).toBe(transition === "final");
            }
          }
          // One that was settled elsewhere, and is not any more, shows as settled until the successor has looked.
          const times = await waitFor(async () => {
            const counts = await testbed.chain.countSettlements();
            const seen = requestIds.map((requestId) => counts.get(requestId) ?? 0);
            return isFailure || seen.every((count) => count > 0) ? seen : undefined;
          });
          // In a page that was rejected, and again by itself.
          const once = transition === "rejected" ? 2 : 1;
          expect(times).toEqual(requestIds.map(() => (isFailure ? 0 : once)));
          // Nothing is left that is taken for a transaction on its way.
          await waitFor(async () => {
            const { transactions } = await readHealth(url);
            return transactions.length === 0 ? true : undefined;
          });
          await successor.child.stop();
        },
      );
    },
  );
}
