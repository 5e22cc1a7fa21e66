import { keccak256, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { LIFE_TRANSITIONS, type Transition } from "../src/config/variables.ts";
import { infer, jobIn, readJob } from "./support/client.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { waitFor } from "./support/processes.ts";
import { Testbed } from "./support/testbed.ts";
import type { Settings } from "./support/worker.ts";

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
      const doomed = testbed.worker({ ...settings, HACA_CRASH_AFTER: transition });
      const url = await doomed.url();
      // The first request may die with the worker, the second may never arrive: what counts is the queue.
      const answers = await Promise.allSettled([infer(url, 0), infer(url, 1)]);
      expect(await doomed.child.exited).toMatchObject({ signal: "SIGKILL" });
      const answered = answers.flatMap((answer) =>
        answer.status === "fulfilled" ? [answer.value.requestId] : [],
      );

      const heir = testbed.worker(settings);
      const heirUrl = await heir.url();
      const later = await infer(heirUrl, 2);
      const { jobs } = await waitFor(async () => {
        const health = (await (await fetch(`${heirUrl}/health`)).json()) as {
          jobs: Record<string, number>;
        };
        const { accepted, proven, submitted } = health.jobs;
        return accepted === 0 && proven === 0 && submitted === 0 ? health : undefined;
      });

      for (const requestId of [...answered, later.requestId]) {
        await jobIn(heirUrl, requestId, "settled");
      }
      const counts = await testbed.chain.countSettlements();
      const node = later.requestId.slice(0, 42);
      const own = [...counts].filter(([requestId]) => requestId.startsWith(node));
      expect(jobs).toMatchObject({ settled: own.length, failed: 0 });
      expect(own.length).toBeGreaterThanOrEqual(2);
      expect(own.every(([, count]) => count === 1)).toBe(true);
      await heir.child.stop();
    },
  );
});

/** What a test does between the request and the kill to lead a worker to a transition that is no job's plain life. */
type Trouble = (parameters: {
  settings: Settings;
  url: string;
  requestId: string;
}) => Promise<void>;

describe("a worker that is killed over a transaction that is not mined", () => {
  const send = (method: string, ...values: unknown[]) => testbed.chain.send(method, ...values);
  const nothing: Trouble = async () => undefined;
  const walletOf = (settings: Settings) =>
    new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);

  /** Another transaction of the account takes the nonce of the job's. */
  const takeNonce: Trouble = async ({ requestId, settings, url }) => {
    await jobIn(url, requestId, "submitted");
    const wallet = walletOf(settings);
    const fee = 10n ** 12n;
    const fees = { maxFeePerGas: fee, maxPriorityFeePerGas: fee };
    const nonce = await wallet.getNonce("latest");
    await wallet.sendTransaction({ to: wallet.address, nonce, ...fees });
    await send("evm_mine");
  };

  /** Sends what the endpoint will forget, so that the job's transaction gets the nonce after it. */
  let outside = "";
  const sendOutside = async (settings: Settings): Promise<void> => {
    const wallet = walletOf(settings);
    outside = (await wallet.sendTransaction({ to: wallet.address })).hash;
  };
  const leaveHole: Trouble = async ({ requestId, url }) => {
    await jobIn(url, requestId, "submitted");
    await send("anvil_dropTransaction", outside);
  };

  const cases: { transition: Transition; account: number; trouble: Trouble; extra: Settings }[] = [
    { transition: "replaced", account: 7, trouble: nothing, extra: { HACA_REPLACE_MS: "200" } },
    {
      transition: "replacementSent",
      account: 8,
      trouble: nothing,
      extra: { HACA_REPLACE_MS: "200" },
    },
    { transition: "dropped", account: 9, trouble: takeNonce, extra: {} },
    {
      transition: "gapFilled",
      account: 1,
      trouble: leaveHole,
      extra: { HACA_REBROADCAST_MS: "200" },
    },
  ];
  it.each(cases)("right after $transition settles the job exactly once", async (each) => {
    const { account, extra, transition, trouble } = each;
    const settings = { ...(await testbed.settings({ account })), ...extra };
    await send("evm_setAutomine", false);
    onTestFinished(async () => {
      await send("evm_setAutomine", true);
    });
    if (trouble === leaveHole) await sendOutside(settings);
    const doomed = testbed.worker({ ...settings, HACA_CRASH_AFTER: transition });
    const url = await doomed.url();
    const { requestId } = await infer(url);
    await trouble({ settings, url, requestId }).catch((error: unknown) => {
      // The worker may be gone before the test has seen what it looks for.
      if (!doomed.child.hasEnded) throw error;
    });
    expect(await doomed.child.exited).toMatchObject({ signal: "SIGKILL" });

    await send("evm_setAutomine", true);
    const heir = testbed.worker({ ...settings, HACA_REPLACE_MS: "60000" });
    const heirUrl = await heir.url();
    await send("evm_mine");
    await jobIn(heirUrl, requestId, "settled");
    const counts = await testbed.chain.countSettlements();
    expect(counts.get(requestId)).toBe(1);
    await heir.child.stop();
  });

  it("right after promoted settles the job by the attempt that was mined", async () => {
    const proxy = await EndpointProxy.start(testbed.chain.url);
    onTestFinished(() => proxy.stop());
    const settings = {
      ...(await testbed.settings({ account: 2 })),
      HACA_RPC_URL: proxy.url,
      HACA_REPLACE_MS: "200",
    };
    await send("evm_setAutomine", false);
    onTestFinished(async () => {
      await send("evm_setAutomine", true);
    });
    const doomed = testbed.worker({ ...settings, HACA_CRASH_AFTER: "promoted" });
    const { requestId } = await infer(await doomed.url());
    let first: unknown;
    // Takes the first attempt only, and says that it took the others.
    proxy.interfere = ({ method, params }) => {
      if (method !== "eth_sendRawTransaction") return undefined;
      first ??= params[0];
      return params[0] === first ? undefined : { result: `0x${"00".repeat(32)}` };
    };
    await doomed.logged("replaced with higher fees");
    await send("evm_mine");
    expect(await doomed.child.exited).toMatchObject({ signal: "SIGKILL" });
    const heir = testbed.worker(settings);
    const url = await heir.url();
    const { transaction } = await jobIn(url, requestId, "settled");
    expect((await readJob(url, requestId)).transaction?.hash).toBe(transaction?.hash);
    expect(transaction?.hash).toBe(keccak256(String(first)));
    expect((await testbed.chain.countSettlements()).get(requestId)).toBe(1);
    await heir.child.stop();
  });
});
