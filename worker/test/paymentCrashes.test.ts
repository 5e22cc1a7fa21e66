import type { PaymentPayload } from "@x402/core/types";
import type { Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { jobResult, PaymentBed, PRICE, post, RECEIVER } from "./support/paymentBed.ts";
import {
  PAYMENT_LIFE,
  PAYMENT_TRANSITIONS,
  type PaymentTransition,
} from "./support/paymentTransitions.ts";
import { waitFor } from "./support/processes.ts";
import { untilTestEnds } from "./support/startWorker.ts";
import { temporaryQueue } from "./support/temporaryFolder.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./support/worker.ts";

/** In the deep run a facilitator dies after every transition, by default after every third one. */
const sampled = <T>(transitions: readonly T[]): readonly T[] =>
  process.env.HACA_DEEP === "1" ? transitions : transitions.filter((_, index) => index % 3 === 0);

const ASYNC = { prefer: "respond-async" };
/** Above what any replacement here offers. */
const HIGH_FEES = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n };
const CEILING = { HACA_MAX_FEE_PER_GAS: String(10n ** 15n) };

let bed: PaymentBed;
beforeAll(async () => {
  bed = await PaymentBed.start();
});
afterAll(() => bed?.stop());

let account: Wallet;
let settings: Settings;
let payer: Wallet;
let paid: PaymentPayload;
let before: bigint;
beforeEach(async () => {
  const made = await bed.settings(temporaryQueue());
  account = made.account;
  settings = { ...made.settings, ...CEILING };
  payer = await bed.payerWith(1n);
  paid = await bed.payment(payer);
  before = await bed.balanceOf(RECEIVER);
});

const start = () => untilTestEnds(bed.worker(settings));
const startCrashing = (crashAfter: PaymentTransition, changes: Settings = {}) =>
  untilTestEnds(
    new WorkerProcess({
      ...{ settings: { ...settings, ...changes }, roles: ["facilitate"], crashAfter },
    }),
  );
const settle = (url: string, headers: Record<string, string> = {}) =>
  post(url, "/settle", bed.bodyOf(paid), headers);

async function holdMining(): Promise<void> {
  await bed.send("evm_setAutomine", false);
  onTestFinished(async () => {
    await bed.send("evm_setAutomine", true);
  });
}
async function letGo(): Promise<void> {
  await bed.send("evm_mine");
  await bed.send("evm_setAutomine", true);
}
/** Has a facilitator die over the payment; what it answers before that, it may not live to send. */
async function dieOver(worker: TestWorker, url: string, headers = {}): Promise<void> {
  const asked = settle(url, headers).catch(() => undefined);
  expect(await worker.child.exited).toMatchObject({ signal: "SIGKILL" });
  await asked;
}
async function usesOf(): Promise<number> {
  const topics = bed.token.interface.encodeFilterTopics("AuthorizationUsed", [payer.address]);
  const filter = { address: String(bed.token.target), topics, fromBlock: 0 };
  return (await bed.tee.chain.provider.getLogs(filter)).length;
}

describe("a facilitator that is killed over a payment", () => {
  it.each(sampled(PAYMENT_LIFE))(
    "right after %s leaves it to a successor that makes it once",
    async (at) => {
      const crashing = startCrashing(at);
      await dieOver(crashing, await crashing.url(), at === "promised" ? ASYNC : {});

      const url = await start().url();
      const { body, status } = await settle(url);
      expect(status).toBe(200);
      // Whether the client has heard of the success that was to be told, nobody knows.
      expect(body).toMatchObject(
        at === "told"
          ? { success: false, errorReason: "duplicate_settlement" }
          : { success: true, payer: payer.address },
      );
      const receipt = await bed.tee.chain.provider.getTransactionReceipt(body.transaction);
      expect(receipt).toMatchObject({ status: 1, from: account.address });
      expect(await bed.balanceOf(RECEIVER)).toBe(before + PRICE);
      expect(await usesOf()).toBe(1);
      expect(await bed.sentCount(account)).toBe(1);
    },
  );

  /** Leads one to a death that no plain life has; what the successor needs then comes after it. */
  type Scenario = {
    die(): Promise<void>;
    revive?(): Promise<unknown>;
    /** transactions of the account in the end */
    sent: number;
    fails?: true;
  };
  const scenarios: Partial<Record<PaymentTransition, Scenario>> = {
    replaced: { die: () => dieUnmined("replaced"), revive: letGo, sent: 1 },
    replacementSent: { die: () => dieUnmined("replacementSent"), revive: letGo, sent: 1 },

    /** Another transaction of the account takes the nonce. */
    unsent: {
      async die() {
        await holdMining();
        const crashing = startCrashing("unsent");
        const url = await crashing.url();
        await settle(url, ASYNC);
        await bed.sent(account, 1);
        await account.sendTransaction({ to: account.address, nonce: 0, ...HIGH_FEES });
        await letGo();
        expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
      },
      sent: 2,
    },

    failed: { die: () => dieReverted("failed"), sent: 1, fails: true },
    acceptedAgain: {
      async die() {
        const crashing = startCrashing("acceptedAgain");
        const url = await crashing.url();
        await jobResult(url, await revert(url));
        await (await bed.token.transfer.send(payer.address, PRICE)).wait();
        await dieOver(crashing, url);
      },
      sent: 2,
    },

    reopened: {
      async die() {
        const snapshot = await bed.send("evm_snapshot");
        const crashing = startCrashing("reopened");
        const url = await crashing.url();
        await jobResult(url, (await promised(url)).jobId);
        await bed.send("evm_mine");
        await bed.send("evm_revert", snapshot);
        await bed.send("evm_mine");
        expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
      },
      sent: 1,
    },

    withdrawn: {
      async die() {
        const poor = { HACA_MAX_FEE_PER_GAS: "1", HACA_PAYMENT_WAIT_MS: "300" };
        const crashing = startCrashing("withdrawn", poor);
        await dieOver(crashing, await crashing.url());
      },
      sent: 1,
    },

    final: {
      async die() {
        const crashing = startCrashing("final", { HACA_REORG_BLOCKS: "1" });
        const url = await crashing.url();
        await promised(url);
        await bed.sent(account, 1);
        await bed.send("anvil_mine", "0x2");
        await waitFor(async () => {
          await bed.send("evm_mine");
          return crashing.child.hasEnded ? true : undefined;
        });
      },
      sent: 1,
    },
  };

  async function promised(url: string): Promise<{ jobId: string }> {
    const { body } = await settle(url, ASYNC);
    return body.paymentJob;
  }

  async function dieUnmined(transition: PaymentTransition): Promise<void> {
    await holdMining();
    const crashing = startCrashing(transition, { HACA_REPLACE_MS: "200" });
    await dieOver(crashing, await crashing.url());
  }

  /** Has the payer move everything away before the payment is mined; returns its job's id. */
  async function revert(url: string): Promise<string> {
    await holdMining();
    const { jobId } = await promised(url);
    await bed.sent(account, 1);
    await bed.send("anvil_setBalance", payer.address, "0x56bc75e2d63100000");
    const data = bed.token.interface.encodeFunctionData("transfer", [account.address, PRICE]);
    const to = String(bed.token.target);
    await payer.sendTransaction({ to, data, gasLimit: 200_000n, ...HIGH_FEES });
    await letGo();
    await bed.send("evm_mine");
    return jobId;
  }

  async function dieReverted(transition: PaymentTransition): Promise<void> {
    const crashing = startCrashing(transition);
    await revert(await crashing.url());
    expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
  }

  it("by a scenario for every transition that it can make", () => {
    const all = [...PAYMENT_LIFE, ...Object.keys(scenarios)];
    expect(all.sort()).toEqual([...PAYMENT_TRANSITIONS].sort());
  });

  it.each(sampled(Object.keys(scenarios) as PaymentTransition[]))(
    "in trouble, right after %s, leaves it to a successor that ends it once",
    async (transition) => {
      const scenario = scenarios[transition];
      if (scenario === undefined) throw new Error(`no scenario leads to ${transition}`);
      await scenario.die();
      const url = await start().url();
      await scenario.revive?.();
      const { body, status } = await settle(url);
      expect(status).toBe(200);
      if (scenario.fails) {
        expect(body).toMatchObject({ success: false, transaction: "" });
      } else {
        expect(body).toMatchObject({ success: true });
        expect(await bed.balanceOf(RECEIVER)).toBe(before + PRICE);
      }
      expect(await usesOf()).toBe(scenario.fails ? 0 : 1);
      expect(await bed.sentCount(account)).toBe(scenario.sent);
    },
  );
});
