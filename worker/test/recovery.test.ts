import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readQueueConfig } from "../src/config/readConfig.ts";
import { status } from "../src/status.ts";
import { infer, jobIn, readJob } from "./support/client.ts";
import { EndpointProxy, type ProxyMode } from "./support/endpointProxy.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue, newQueue } from "./support/queues.ts";
import { Testbed } from "./support/testbed.ts";
import type { Transition } from "./support/transitions.ts";
import type { Settings } from "./support/worker.ts";

let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.start();
});
afterAll(() => testbed.stop());

/** Lets a worker bring one job to a transition, where it is killed; returns the job's id. */
async function killAfter(settings: Settings, transition: Transition): Promise<string> {
  const worker = testbed.crashingWorker(settings, transition);
  const { requestId } = await infer(await worker.url());
  await worker.child.exited;
  return requestId;
}

/** Lets a worker without the role `settle` prove one job. */
async function prove(settings: Settings): Promise<{ requestId: string; url: string }> {
  const worker = testbed.worker(settings, ["infer", "prove"]);
  const url = await worker.url();
  const { requestId } = await infer(url);
  await jobIn(url, requestId, "proven");
  await worker.child.stop();
  return { requestId, url };
}

async function failed(url: string, requestId: string) {
  return await waitFor(async () => {
    const job = await readJob(url, requestId);
    return job.state === "failed" ? job : undefined;
  });
}

const transactionCount = (settings: Settings): Promise<number> =>
  testbed.chain.provider.getTransactionCount(
    new Wallet(settings.HACA_NODE_KEY ?? "").address,
    "latest",
  );

const settlements = async (requestId: string): Promise<number> =>
  (await testbed.chain.countSettlements()).get(requestId) ?? 0;

describe("a settlement that the contract refuses", () => {
  it("fails the job without a transaction when the version was deprecated before", async () => {
    // Of the embedded database a worker's own answer is shown.
    const settings: Settings = { ...(await testbed.settings({ account: 1 })), ...embeddedQueue() };
    const { requestId } = await prove(settings);
    await testbed.deprecateBeforeAnswers();
    const url = await testbed.worker(settings).url();
    const job = await failed(url, requestId);
    const shown = await status({
      config: readQueueConfig({ ...settings, HACA_HTTP_PORT: new URL(url).port }),
    });
    expect(shown).toMatch(/^settle: working$/m);
    expect(shown).toMatch(/^ {2}revert\.InferenceSettlement_VersionDeprecated: 1$/m);
    expect(job.failureCode).toBe("revert.InferenceSettlement_VersionDeprecated");
    expect(job.failure).toMatch(
      /VersionDeprecated\(modelVersion: 0x[0-9a-f]{64}, deprecatedAt: \d+/,
    );
    expect(await transactionCount(settings)).toBe(0);
  });

  it("fails the job with the decoded error when the transaction reverts", async () => {
    const settings: Settings = { ...(await testbed.settings({ account: 2 })), ...embeddedQueue() };
    const requestId = await killAfter(settings, "signed");
    await testbed.deprecateBeforeAnswers();
    const url = await testbed.worker(settings).url();
    const job = await failed(url, requestId);
    expect(job.failureCode).toBe("revert.InferenceSettlement_VersionDeprecated");
    expect(job.failure).toContain(job.transaction?.hash);
    expect(await transactionCount(settings)).toBe(1);
    expect(await settlements(requestId)).toBe(0);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(
      'haca_jobs_failed{reason="revert.InferenceSettlement_VersionDeprecated"} 1\n',
    );
  });

  it("does not come for what was answered before a deprecation: it settles", async () => {
    const settings = await testbed.settings({ account: 1 });
    const { requestId } = await prove(settings);
    await testbed.deprecateAfterAnswers();
    const url = await testbed.worker(settings).url();
    await jobIn(url, requestId, "settled");
    expect(await settlements(requestId)).toBe(1);
  });

  it("is foreseen: requests for a version are refused once it is deprecated", async () => {
    const settings = await testbed.settings({ account: 3 });
    const url = await testbed.worker({ ...settings, HACA_MODEL_REFRESH_MS: "50" }).url();
    await infer(url);
    await testbed.deprecate();
    const refusal = await waitFor(() =>
      infer(url).then(
        () => undefined,
        (error: Error) => error.message,
      ),
    );
    expect(refusal).toContain("model.deprecated");
  });
});

describe("an endpoint that goes away", () => {
  const modes: [ProxyMode, number][] = [
    ["down", 4],
    ["failing", 5],
  ];
  it.each(modes)("(%s) stops nothing for good", async (mode, account) => {
    const proxy = await EndpointProxy.start(testbed.chain.url);
    onTestFinished(() => proxy.stop());
    const settings: Settings = { ...(await testbed.settings({ account })), ...embeddedQueue() };
    const worker = testbed.worker({ ...settings, HACA_RPC_URL: proxy.url });
    const url = await worker.url();
    const health = async () =>
      (await (await fetch(`${url}/health`)).json()) as {
        status: string;
        roles: { settle: { state: string } };
      };
    proxy.mode = mode;
    const { requestId } = await infer(url);
    await jobIn(url, requestId, "proven");
    const degraded = await waitFor(async () => {
      const answer = await health();
      return answer.roles.settle.state === "backing off" ? answer : undefined;
    });
    expect(degraded.status).toBe("degraded");
    const backingOff = async () =>
      /^haca_role_backing_off\{role="settle"\} (.)$/m.exec(
        await (await fetch(`${url}/metrics`)).text(),
      )?.[1];
    expect(await backingOff()).toBe("1");
    const shown = await status({
      config: readQueueConfig({ ...settings, HACA_HTTP_PORT: new URL(url).port }),
    });
    expect(shown).toMatch(/^settle: backing off since \S+: HACA_RPC_URL: /m);
    proxy.mode = "up";
    await jobIn(url, requestId, "settled");
    await waitFor(async () => ((await health()).status === "ok" ? true : undefined));
    expect(await backingOff()).toBe("0");
    expect(await settlements(requestId)).toBe(1);
  });

  it("is waited for at the start", async () => {
    const proxy = await EndpointProxy.start(testbed.chain.url);
    onTestFinished(() => proxy.stop());
    proxy.mode = "down";
    const settings = await testbed.settings({ account: 6 });
    const worker = testbed.worker({ ...settings, HACA_RPC_URL: proxy.url });
    await worker.logged("HACA_RPC_URL: no answer");
    proxy.mode = "up";
    const url = await worker.url();
    await jobIn(url, (await infer(url)).requestId, "settled");
  });
});

describe("a transaction that does not stay", () => {
  it("is sent again when a reorganisation took it away", async () => {
    const settings = await testbed.settings({ account: 7 });
    const before = await testbed.chain.send("evm_snapshot");
    const worker = testbed.worker(settings);
    const url = await worker.url();
    const { requestId } = await infer(url);
    const settled = await jobIn(url, requestId, "settled");
    // Without automatic mining the transaction cannot be back before the test has looked.
    await testbed.chain.send("evm_setAutomine", false);
    onTestFinished(async () => {
      await testbed.chain.send("evm_setAutomine", true);
    });
    await testbed.chain.send("evm_revert", before);
    expect(await settlements(requestId)).toBe(0);
    await worker.logged("block reorganised");
    await jobIn(url, requestId, "submitted");
    await testbed.chain.send("evm_setAutomine", true);
    await testbed.chain.send("evm_mine");
    await waitFor(async () => ((await settlements(requestId)) === 1 ? true : undefined));
    const again = await jobIn(url, requestId, "settled");
    expect(again.transaction?.hash).toBe(settled.transaction?.hash);
    expect(await transactionCount(settings)).toBe(1);
  });

  it("is sent again when the endpoint forgot it", async () => {
    const settings = await testbed.settings({ account: 8 });
    await testbed.chain.send("evm_setAutomine", false);
    onTestFinished(async () => {
      await testbed.chain.send("evm_setAutomine", true);
    });
    const url = await testbed.worker({ ...settings, HACA_REBROADCAST_MS: "10" }).url();
    const { requestId } = await infer(url);
    const { transaction } = await jobIn(url, requestId, "submitted");
    await testbed.chain.send("anvil_dropTransaction", transaction?.hash);
    await waitFor(async () => {
      const known = await testbed.chain.provider.getTransaction(transaction?.hash ?? "");
      return known === null ? undefined : true;
    });
    await testbed.chain.send("evm_mine");
    await jobIn(url, requestId, "settled");
    expect(await settlements(requestId)).toBe(1);
  });

  it("is replaced when another one took its nonce", async () => {
    const settings: Settings = { ...(await testbed.settings({ account: 1 })), ...embeddedQueue() };
    const nonce = await transactionCount(settings);
    const requestId = await killAfter(settings, "signed");
    const wallet = new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
    await (await wallet.sendTransaction({ to: wallet.address, nonce })).wait();
    // Found out when it is refused, not after a silence.
    const worker = testbed.worker({ ...settings, HACA_REBROADCAST_MS: "3600000" });
    const url = await worker.url();
    await worker.logged("nonce taken by another transaction");
    await jobIn(url, requestId, "settled");
    expect(await settlements(requestId)).toBe(1);
    expect(await transactionCount(settings)).toBe(nonce + 2);
  });
});

describe("a transaction that waits to be mined", () => {
  it("is replaced when another one took its nonce meanwhile", async () => {
    const settings = await testbed.settings({ account: 4 });
    const nonce = await transactionCount(settings);
    await testbed.chain.send("evm_setAutomine", false);
    onTestFinished(async () => {
      await testbed.chain.send("evm_setAutomine", true);
    });
    const worker = testbed.worker({ ...settings, HACA_REBROADCAST_MS: "10" });
    const url = await worker.url();
    const { requestId } = await infer(url);
    await jobIn(url, requestId, "submitted");
    const wallet = new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
    const fee = 10n ** 12n;
    const fees = { maxFeePerGas: fee, maxPriorityFeePerGas: fee };
    await wallet.sendTransaction({ to: wallet.address, nonce, ...fees });
    await testbed.chain.send("evm_mine");
    await worker.logged("nonce taken by another transaction");
    await testbed.chain.send("evm_setAutomine", true);
    await testbed.chain.send("evm_mine");
    await jobIn(url, requestId, "settled");
    expect(await settlements(requestId)).toBe(1);
    expect(await transactionCount(settings)).toBe(nonce + 2);
  });
});

describe("confirmations", () => {
  it("are waited for", async () => {
    const settings = await testbed.settings({ account: 2 });
    const url = await testbed.worker({ ...settings, HACA_CONFIRMATIONS: "3" }).url();
    const mined = async (requestId: string): Promise<number> =>
      await waitFor(async () => {
        const hash = (await readJob(url, requestId)).transaction?.hash;
        if (hash === undefined) return undefined;
        return (await testbed.chain.provider.getTransactionReceipt(hash))?.blockNumber;
      });
    const { requestId } = await infer(url, 0);
    const block = await mined(requestId);
    // The second settlement is the first one's second confirmation.
    expect(await mined((await infer(url, 1)).requestId)).toBe(block + 1);
    expect((await readJob(url, requestId)).state).toBe("submitted");
    await testbed.chain.send("evm_mine");
    expect((await jobIn(url, requestId, "settled")).transaction?.block).toBe(block);
  });
});

describe("a request that somebody else settled", () => {
  it("is settled, without a transaction of this queue", async () => {
    const settings = await testbed.settings({ account: 3 });
    const nonce = await transactionCount(settings);
    const worker = testbed.worker(settings, ["infer", "prove"]);
    const url = await worker.url();
    const { receipt, requestId } = await infer(url);
    const { proof } = await jobIn(url, requestId, "proven");
    await worker.child.stop();
    const { message, inputWords, outputWords, signature } = receipt;
    const words = [...inputWords, ...outputWords];
    const { settlement } = testbed.chain;
    const sent = await testbed.chain.execute(
      settlement,
      "settleZkml",
      message,
      words,
      proof,
      signature,
    );
    await sent.wait();

    const successorUrl = await testbed.worker(settings).url();
    expect((await jobIn(successorUrl, requestId, "settled")).transaction).toBeNull();
    expect(await settlements(requestId)).toBe(1);
    expect(await transactionCount(settings)).toBe(nonce);
  });
});

describe("a lost queue", () => {
  it("never gives a settled nonce out again", async () => {
    const settings = await testbed.settings({ account: 9 });
    const worker = testbed.worker(settings);
    const url = await worker.url();
    const first = await infer(url);
    await jobIn(url, first.requestId, "settled");
    await worker.child.stop();

    const successor = testbed.worker({ ...settings, ...newQueue() });
    const successorUrl = await successor.url();
    const second = await infer(successorUrl);
    expect(BigInt(second.requestId) - BigInt(first.requestId)).toBeGreaterThanOrEqual(256n);
    await jobIn(successorUrl, second.requestId, "settled");
  });
});
