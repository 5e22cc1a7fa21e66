import { keccak256, Transaction, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readQueueConfig } from "../src/config/readConfig.ts";
import { status } from "../src/status.ts";
import { infer, jobIn, readJob } from "./support/client.ts";
import { EndpointProxy, type Interference } from "./support/endpointProxy.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue, newQueue } from "./support/queues.ts";
import { Testbed } from "./support/testbed.ts";
import type { Settings, TestWorker } from "./support/worker.ts";

const GWEI = 10n ** 9n;
const REPLACED = "replaced with higher fees";
let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.start();
});
afterAll(() => testbed.stop());

const send = (method: string, ...values: unknown[]) => testbed.chain.send(method, ...values);

/** Mines nothing by itself until the test has ended. */
async function holdMining(): Promise<void> {
  await send("evm_setAutomine", false);
  onTestFinished(async () => {
    await setBaseFee(GWEI);
    await send("evm_setAutomine", true);
  });
}

/** Mines an empty block's worth of time with this base fee, in wei per gas. */
async function setBaseFee(baseFee: bigint): Promise<void> {
  await send("anvil_setNextBlockBaseFeePerGas", `0x${baseFee.toString(16)}`);
  await send("evm_mine");
}

const walletOf = (settings: Settings) =>
  new Wallet(settings.HACA_NODE_KEY ?? "", testbed.chain.provider);
const minedCount = (settings: Settings): Promise<number> =>
  testbed.chain.provider.getTransactionCount(walletOf(settings).address, "latest");
const settlements = async (requestId: string): Promise<number> =>
  (await testbed.chain.countSettlements()).get(requestId) ?? 0;

/** The job's transaction as the chain has it: under the job's hash of now, since an attempt may be replaced at any time. */
async function pendingTransaction(url: string, requestId: string) {
  await jobIn(url, requestId, "submitted");
  return await waitFor(async () => {
    const hash = (await readJob(url, requestId)).transaction?.hash ?? "";
    return (await testbed.chain.provider.getTransaction(hash)) ?? undefined;
  });
}

async function proxied(settings: Settings): Promise<{ proxy: EndpointProxy; settings: Settings }> {
  const proxy = await EndpointProxy.start(testbed.chain.url);
  onTestFinished(() => proxy.stop());
  return { proxy, settings: { ...settings, HACA_RPC_URL: proxy.url } };
}

async function metric(url: string, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1];
}

/** All jobs end settled, each by one event. */
async function expectSettledOnce(url: string, requestIds: readonly string[]): Promise<void> {
  for (const requestId of requestIds) await jobIn(url, requestId, "settled");
  const counts = await testbed.chain.countSettlements();
  expect(requestIds.map((requestId) => counts.get(requestId))).toEqual(requestIds.map(() => 1));
}

describe("a transaction that is not mined", () => {
  it("is replaced under its nonce with an eighth more on both fees", async () => {
    const settings = { ...(await testbed.settings({ account: 1 })), ...embeddedQueue() };
    const nonce = await minedCount(settings);
    await holdMining();
    const worker = testbed.worker({ ...settings, HACA_REPLACE_MS: "1000" });
    const url = await worker.url();
    const { requestId } = await infer(url);
    const first = await pendingTransaction(url, requestId);
    await worker.logged(REPLACED);
    const second = await waitFor(async () => {
      const hash = (await readJob(url, requestId)).transaction?.hash ?? "";
      if (hash === first.hash) return undefined;
      return (await testbed.chain.provider.getTransaction(hash)) ?? undefined;
    });
    const enough = (before: bigint | null) => ((before ?? 0n) * 9n) / 8n;
    expect(second.nonce).toBe(first.nonce);
    expect(second.data).toBe(first.data);
    const shown = await status({
      config: readQueueConfig({ ...settings, HACA_HTTP_PORT: new URL(url).port }),
    });
    expect(shown).toMatch(/^submitted +1$/m);
    expect(shown).toMatch(
      new RegExp(
        `^  nonce ${nonce} settlement 0x.{64}: .*, replaced [1-9]\\d* times, pays up to`,
        "m",
      ),
    );
    expect(second.maxFeePerGas).toBeGreaterThanOrEqual(enough(first.maxFeePerGas));
    expect(second.maxPriorityFeePerGas).toBeGreaterThanOrEqual(enough(first.maxPriorityFeePerGas));
    await send("evm_mine");
    await expectSettledOnce(url, [requestId]);
    expect(await minedCount(settings)).toBe(nonce + 1);
  });

  it("settles the job where the replaced attempt is mined after all", async () => {
    const { proxy, settings } = await proxied(await testbed.settings({ account: 2 }));
    await holdMining();
    // The endpoint takes the first attempt; it says that it took the others, and loses them.
    let first: string | undefined;
    proxy.interfere = ({ method, params }) => {
      if (method !== "eth_sendRawTransaction") return undefined;
      const raw = String(params[0]);
      first ??= raw;
      return raw === first ? undefined : { result: keccak256(raw) };
    };
    const worker = testbed.worker({ ...settings, HACA_REPLACE_MS: "500" });
    const url = await worker.url();
    const { requestId } = await infer(url);
    await worker.logged(REPLACED);
    const hash = keccak256(first ?? "0x");
    await waitFor(async () => (await testbed.chain.provider.getTransaction(hash)) ?? undefined);
    await send("evm_mine");
    await expectSettledOnce(url, [requestId]);
    expect((await readJob(url, requestId)).transaction?.hash).toBe(hash);
  });

  it("is never raised above the ceiling", async () => {
    const settings = await testbed.settings({ account: 3 });
    await holdMining();
    const ceiling = 4n * GWEI;
    const worker = testbed.worker({
      ...settings,
      HACA_REPLACE_MS: "10",
      HACA_MAX_FEE_PER_GAS: ceiling.toString(),
    });
    const url = await worker.url();
    const { requestId } = await infer(url);
    const first = await pendingTransaction(url, requestId);
    await setBaseFee(50n * GWEI);
    await worker.logged("gas is above HACA_MAX_FEE_PER_GAS: waiting");
    await setBaseFee(GWEI);
    await send("evm_setAutomine", true);
    await send("evm_mine");
    await expectSettledOnce(url, [requestId]);
    const hash = (await readJob(url, requestId)).transaction?.hash ?? "";
    const mined = await testbed.chain.provider.getTransaction(hash);
    expect(mined?.nonce).toBe(first.nonce);
    expect(mined?.maxFeePerGas).toBeLessThanOrEqual(ceiling);
  });
});

describe("gas above the ceiling", () => {
  it("holds proofs back, says so, and lets them go when it falls", async () => {
    const settings = await testbed.settings({ account: 4 });
    const nonce = await minedCount(settings);
    await holdMining();
    await setBaseFee(50n * GWEI);
    const worker = testbed.worker({ ...settings, HACA_MAX_FEE_PER_GAS: (10n * GWEI).toString() });
    const url = await worker.url();
    const { requestId } = await infer(url);
    expect(await worker.logged("gas is above HACA_MAX_FEE_PER_GAS: waiting")).toMatchObject({
      baseFeeWei: (50n * GWEI).toString(),
      ceilingWei: (10n * GWEI).toString(),
    });
    expect(await metric(url, "haca_gas_waiting")).toBe("1");
    expect(await readJob(url, requestId)).toMatchObject({ state: "proven", transaction: null });
    await setBaseFee(GWEI);
    await worker.logged("gas is below HACA_MAX_FEE_PER_GAS again: resuming");
    await send("evm_setAutomine", true);
    await send("evm_mine");
    await expectSettledOnce(url, [requestId]);
    expect(await metric(url, "haca_gas_waiting")).toBe("0");
    expect(await minedCount(settings)).toBe(nonce + 1);
  });
});

describe("an endpoint", () => {
  /** Runs three jobs through an endpoint that misbehaves until the worker has noticed. */
  async function survive(parameters: {
    account: number;
    interfere: Interference;
    notice: (worker: TestWorker) => Promise<unknown>;
    extra?: Settings;
  }): Promise<void> {
    const { proxy, settings } = await proxied(
      await testbed.settings({ account: parameters.account }),
    );
    const worker = testbed.worker({ ...settings, ...parameters.extra });
    const url = await worker.url();
    const nonce = await minedCount(settings);
    const ids = [(await infer(url, 0)).requestId];
    await jobIn(url, ids[0] ?? "", "settled");
    proxy.interfere = parameters.interfere;
    ids.push((await infer(url, 1)).requestId, (await infer(url, 2)).requestId);
    await parameters.notice(worker);
    proxy.interfere = () => undefined;
    await expectSettledOnce(url, ids);
    expect(await minedCount(settings)).toBe(nonce + ids.length);
  }

  it("that answers errors delays jobs and loses none", async () => {
    await survive({
      account: 5,
      interfere: () => ({ error: { code: -32603, message: "internal error" } }),
      notice: (worker) => worker.logged("backing off"),
    });
  });

  it("that serves another chain in mid-run decides nothing", async () => {
    const yes = `0x${"01".padStart(64, "0")}`;
    await survive({
      account: 6,
      // Everything looks settled there.
      interfere: ({ method }) => {
        if (method === "eth_chainId") return { result: "0x1" };
        return method === "eth_call" ? { result: yes } : undefined;
      },
      notice: async (worker) => {
        const { error } = await worker.logged("backing off");
        expect(error).toBe("HACA_RPC_URL: the endpoint now serves chain 1, not 31337");
      },
    });
  });

  it("whose nonces lag behind gets no nonce used twice", async () => {
    await survive({
      account: 7,
      interfere: ({ method }) =>
        method === "eth_getTransactionCount" ? { result: "0x0" } : undefined,
      notice: (worker) =>
        waitFor(async () => {
          const sent = worker.child.lines.filter((line) => line.includes('"msg":"submitted"'));
          return sent.length >= 3 ? true : undefined;
        }),
    });
  });

  it("that holds connections open is given up on", async () => {
    const { proxy, settings } = await proxied(await testbed.settings({ account: 8 }));
    const worker = testbed.worker({ ...settings, HACA_RPC_TIMEOUT_MS: "300" });
    const url = await worker.url();
    proxy.mode = "hanging";
    const { requestId } = await infer(url);
    await worker.logged("backing off");
    proxy.mode = "up";
    await expectSettledOnce(url, [requestId]);
  });

  it("that lags behind a lost queue has used nonces tried, never a request twice", async () => {
    const { proxy, settings } = await proxied(await testbed.settings({ account: 9 }));
    const worker = testbed.worker(settings);
    const url = await worker.url();
    const first = await infer(url);
    await jobIn(url, first.requestId, "settled");
    await worker.child.stop();
    proxy.interfere = ({ method }) =>
      method === "eth_getTransactionCount" ? { result: "0x0" } : undefined;
    const successor = testbed.worker({ ...settings, ...newQueue() });
    const successorUrl = await successor.url();
    const second = await infer(successorUrl);
    await successor.logged("refused by the endpoint: later");
    proxy.interfere = () => undefined;
    await expectSettledOnce(successorUrl, [second.requestId]);
    expect(await settlements(first.requestId)).toBe(1);
  });
});

describe("a transaction that no endpoint has taken", () => {
  const sentBy = (request: { method: string; params: unknown[] }): Transaction | undefined =>
    request.method === "eth_sendRawTransaction"
      ? Transaction.from(String(request.params[0]))
      : undefined;
  const refusal = (message: string) => ({ error: { code: -32000, message } });

  it("for its tip is raised to what the endpoint asks, and those behind it are settled", async () => {
    const { proxy, settings } = await proxied(await testbed.settings({ account: 1 }));
    const minimum = 3n * GWEI;
    proxy.interfere = (request) => {
      const tip = sentBy(request)?.maxPriorityFeePerGas ?? minimum;
      if (tip >= minimum) return undefined;
      return refusal(`transaction underpriced: gas tip cap ${tip}, minimum needed ${minimum}`);
    };
    const url = await testbed.worker(settings).url();
    const ids = [(await infer(url, 0)).requestId, (await infer(url, 1)).requestId];
    await expectSettledOnce(url, ids);
    for (const requestId of ids) {
      const hash = (await readJob(url, requestId)).transaction?.hash ?? "";
      const mined = await testbed.chain.provider.getTransaction(hash);
      expect(mined?.maxPriorityFeePerGas).toBe(minimum);
    }
  });

  it("for anything else does not stop the others, and shows the endpoint's words", async () => {
    const { proxy, settings } = await proxied(await testbed.settings({ account: 2 }));
    const first = await minedCount(settings);
    proxy.interfere = (request) =>
      sentBy(request)?.nonce === first ? refusal("tx fee (2.00 ether) exceeds the cap") : undefined;
    const worker = testbed.worker(settings);
    const url = await worker.url();
    const { requestId } = await infer(url, 0);
    await worker.logged("refused by the endpoint: later");
    const others = [(await infer(url, 1)).requestId, (await infer(url, 2)).requestId];
    for (const other of others) await jobIn(url, other, "submitted");
    const refused = await readJob(url, requestId);
    expect(refused.state).toBe("proven");
    expect(refused.lastError).toMatch(/does not take transaction 0x.{64} .*exceeds the cap$/);
    expect(worker.child.lines.join("\n")).not.toMatch(/0x02[0-9a-f]{200}/);
    proxy.interfere = () => undefined;
    await expectSettledOnce(url, [requestId, ...others]);
  });
});

describe("an account that cannot pay", () => {
  it("is said at the start, in health, metrics and the job, and settles when it is funded", async () => {
    const { privateKey, address } = Wallet.createRandom();
    const own = { HACA_NODE_KEY: privateKey, ...embeddedQueue() };
    const settings = { ...(await testbed.settings({ account: 3 })), ...own };
    const worker = testbed.worker({ ...settings, HACA_MODEL_REFRESH_MS: "100" });
    const url = await worker.url();
    await worker.logged("the account cannot pay for a settlement: proofs wait; fund it");
    const health = async () => await (await fetch(`${url}/health`)).text();
    const account = { account: address, balanceWei: "0", state: "empty" };
    expect(JSON.parse(await health())).toMatchObject({ status: "degraded", account });
    expect(await metric(url, "haca_account_unfunded")).toBe("1");
    const { requestId } = await infer(url);
    const waiting = await waitFor(async () => {
      const job = await readJob(url, requestId);
      return job.lastError === null ? undefined : job;
    });
    expect(waiting).toMatchObject({ state: "proven", transaction: null });
    expect(waiting.lastError).toMatch(/fund it$/);
    const port = new URL(url).port;
    const shown = await status({ config: readQueueConfig({ ...settings, HACA_HTTP_PORT: port }) });
    expect(shown).toMatch(/^account 0x.{40}: 0\.0 \(cannot pay for a settlement\)$/m);
    await send("anvil_setBalance", address, `0x${(10n ** 18n).toString(16)}`);
    await expectSettledOnce(url, [requestId]);
    await waitFor(async () => (JSON.parse(await health()).status === "ok" ? true : undefined));
    expect(await metric(url, "haca_account_unfunded")).toBe("0");
  });
});

describe("a nonce gap", () => {
  it("that another sender left is filled", async () => {
    const settings = await testbed.settings({ account: 1 });
    const nonce = await minedCount(settings);
    await holdMining();
    const wallet = walletOf(settings);
    const outside = await wallet.sendTransaction({ to: wallet.address, nonce });
    const worker = testbed.worker({ ...settings, HACA_REBROADCAST_MS: "200" });
    const url = await worker.url();
    const { requestId } = await infer(url);
    expect((await pendingTransaction(url, requestId)).nonce).toBe(nonce + 1);
    await send("anvil_dropTransaction", outside.hash);
    await worker.logged("no transaction has this nonce: filling the gap");
    await send("evm_setAutomine", true);
    await send("evm_mine");
    await expectSettledOnce(url, [requestId]);
    expect(await minedCount(settings)).toBe(nonce + 2);
  });
});

describe("a settlement by somebody else", () => {
  it("that a reorganisation removed is made by the node", async () => {
    const settings = await testbed.settings({ account: 2 });
    const prover = testbed.worker(settings, ["infer", "prove"]);
    const url = await prover.url();
    const { receipt, requestId } = await infer(url);
    const { proof } = await jobIn(url, requestId, "proven");
    await prover.child.stop();
    const before = await send("evm_snapshot");
    const { message, inputWords, outputWords, signature } = receipt;
    const { settlement } = testbed.chain;
    const words = [...inputWords, ...outputWords];
    await testbed.chain.execute(settlement, "settleZkml", message, words, proof, signature);
    const worker = testbed.worker(settings);
    const workerUrl = await worker.url();
    expect((await jobIn(workerUrl, requestId, "settled")).transaction).toBeNull();
    await send("evm_revert", before);
    await send("evm_mine");
    await worker.logged("the settlement by somebody else is gone");
    const settled = await waitFor(async () => {
      const job = await readJob(workerUrl, requestId);
      return job.state === "settled" && job.transaction !== null ? job : undefined;
    });
    expect(settled.transaction?.hash).toMatch(/^0x/);
    await expectSettledOnce(workerUrl, [requestId]);
  });
});
