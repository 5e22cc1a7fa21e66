import { gasLimitFor } from "@haca/protocol/gasLimit";
import { keccak256, Transaction, Wallet } from "ethers";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, inject, it, onTestFinished, vi } from "vitest";
import { connectChain } from "../src/chain/connectChain.ts";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import { listOpenTransactions } from "../src/jobs/openTransactions.ts";
import { recordSigned } from "../src/jobs/transactions.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { Database } from "../src/storage/database.ts";
import { openDatabase } from "../src/storage/openDatabase.ts";
import type { AccountContext } from "../src/transactions/accountContext.ts";
import { databaseStore } from "../src/transactions/databaseStore.ts";
import { FeeGate } from "../src/transactions/fees.ts";
import { GasLimits } from "../src/transactions/gasLimits.ts";
import { readChainView } from "../src/transactions/readChainView.ts";
import { sendTransaction } from "../src/transactions/sendTransaction.ts";
import { tendAccount } from "../src/transactions/tendAccount.ts";
import { developmentKey, LocalChain } from "./support/localChain.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { waitFor } from "./support/processes.ts";
import { temporaryQueue } from "./support/temporaryFolder.ts";

const PURPOSE = "heartbeat";
let chain: LocalChain;
let account = 0;
beforeAll(async () => {
  chain = await LocalChain.start();
});
beforeEach(() => {
  account += 1;
});
afterAll(() => chain.stop());

/** What sending needs, with an account and a queue of its own. */
async function newContext(
  changes: Partial<AccountContext> = {},
  databaseUrl?: string,
): Promise<AccountContext & { database: Database }> {
  const wallet = new Wallet(developmentKey(account));
  const { book, url } = chain;
  // More accounts than the chain funds by itself.
  await chain.send("anvil_setBalance", wallet.address, "0xde0b6b3a764000000");
  const connected = await connectChain({
    rpcUrl: url,
    timeoutMs: 5_000,
    chainId: 31337,
    addressBook: book,
  });
  const database = await openDatabase({
    folder: temporaryQueue(),
    url: databaseUrl,
    onError: () => undefined,
  });
  const { chainId, genesisHash, settlement } = connected;
  const identity = { chainId, genesisHash, settlement, node: wallet.address };
  await claimIdentity({ database, identity });
  const metrics = createMetrics({ database });
  const logger = pino({ level: "silent" });
  onTestFinished(async () => {
    connected.provider.destroy();
    await database.close();
  });
  return {
    database,
    store: databaseStore(database),
    chain: connected,
    wallet,
    gate: new FeeGate({ ceiling: 10n ** 13n, metrics, logger }),
    confirmations: 1,
    gasLimits: new GasLimits(),
    rebroadcastMs: 10,
    replaceMs: 3_600_000,
    metrics,
    logger,
    ...changes,
  };
}

/** Looks after the account until something was mined; returns the purposes and states of what was. */
async function tend(
  context: AccountContext,
): Promise<{ purpose: string; status: number | null }[]> {
  const mined: { purpose: string; status: number | null }[] = [];
  return await waitFor(async () => {
    await tendAccount({
      context,
      view: await readChainView(context),
      onMined: ({ purpose, receipt }) => mined.push({ purpose, status: receipt.status }),
    });
    return mined.length > 0 ? mined : undefined;
  });
}

const registerModel = (slug: string) => ({
  to: chain.book.contracts.ModelRegistry.address,
  data: chain.registry.interface.encodeFunctionData("registerModel", [slug]),
});

it("sends a call, follows it to its receipt, and reports it once", async () => {
  const context = await newContext();
  const view = await readChainView(context);
  const sent = await sendTransaction({ context, view, purpose: PURPOSE, ...registerModel("sent") });
  expect(sent?.nonce).toBe(0);
  expect(await tend(context)).toEqual([{ purpose: PURPOSE, status: 1 }]);
  expect(await listOpenTransactions({ database: context.database })).toEqual([]);
});

it("gets the nonce after the node's own, although the endpoint has not heard of those yet", async () => {
  const context = await newContext();
  await chain.send("evm_setAutomine", false);
  onTestFinished(async () => {
    await chain.send("evm_setAutomine", true);
  });
  const view = await readChainView(context);
  const { provider } = context.chain;
  const send = provider.send.bind(provider);
  // Behind what this endpoint has taken itself, as one of several machines is.
  provider.send = async (method, params) =>
    method === "eth_getTransactionCount" ? "0x0" : await send(method, params);
  const nonces: (number | undefined)[] = [];
  for (const slug of ["lag-a", "lag-b", "lag-c"]) {
    const sent = await sendTransaction({ context, view, purpose: PURPOSE, ...registerModel(slug) });
    nonces.push(sent?.nonce);
  }
  expect(nonces).toEqual([0, 1, 2]);
  expect(await chain.provider.getTransactionCount(context.wallet.address, "pending")).toBe(3);
});

it("estimates a kind of call once, and again where its limit does not do any more", async () => {
  const context = await newContext();
  const { provider } = context.chain;
  const asked = vi.spyOn(provider, "estimateGas");
  const send = async (slug: string) => {
    const view = await readChainView(context);
    const sent = await sendTransaction({
      ...{ context, view, purpose: PURPOSE },
      ...registerModel(slug),
    });
    expect(await tend(context)).toEqual([{ purpose: PURPOSE, status: 1 }]);
    return Transaction.from(sent?.raw).gasLimit;
  };
  const limit = await send("gas-a");
  expect(await send("gas-b")).toBe(limit);
  expect(asked).toHaveBeenCalledTimes(1);

  // A call that needs more than the last one of its kind did.
  const { from, call } = { from: context.wallet.address, call: registerModel("gas-c") };
  const short = new GasLimits();
  asked.mockResolvedValueOnce(30_000n);
  expect(await short.limitOf({ provider, from, call })).toBe(gasLimitFor(30_000n));
  expect(await short.limitOf({ provider, from, call })).toBe(limit);
  expect(await short.limitOf({ provider, from, call })).toBe(limit);
  expect(asked).toHaveBeenCalledTimes(3);

  // What would revert is said by the estimate, whatever is known.
  const view = await readChainView(context);
  const refused = sendTransaction({ context, view, purpose: PURPOSE, ...registerModel("GAS-A") });
  await expect(refused).rejects.toMatchObject({ code: "transaction.wouldRevert" });
});

it("sends nothing that would revert, and uses no nonce for it", async () => {
  const context = await newContext();
  const view = await readChainView(context);
  const refused = sendTransaction({ context, view, purpose: PURPOSE, ...registerModel("") });
  await expect(refused).rejects.toMatchObject({ code: "transaction.wouldRevert" });
  expect(await listOpenTransactions({ database: context.database })).toEqual([]);
});

it("sends nothing while gas is above the ceiling", async () => {
  const template = await newContext();
  const { logger, metrics } = template;
  const context = { ...template, gate: new FeeGate({ ceiling: 1n, metrics, logger }) };
  const view = await readChainView(context);
  const call = registerModel("dear");
  expect(await sendTransaction({ context, view, purpose: PURPOSE, ...call })).toBeUndefined();
  expect(await listOpenTransactions({ database: context.database })).toEqual([]);
});

it("is sent by whoever looks after the account where its process died before", async () => {
  const context = await newContext();
  const { chain: connected, database, wallet } = context;
  const { hash } = await database.transaction((tx) =>
    recordSigned({
      tx,
      chainNonce: 0,
      purpose: PURPOSE,
      async sign(nonce) {
        const raw = await wallet.signTransaction({
          type: 2,
          chainId: connected.chainId,
          nonce,
          to: wallet.address,
          gasLimit: 21_000n,
          maxFeePerGas: 10n ** 10n,
          maxPriorityFeePerGas: 1n,
        });
        return { hash: keccak256(raw), raw };
      },
    }),
  );
  expect(await chain.provider.getTransaction(hash)).toBeNull();
  expect(await tend(context)).toEqual([{ purpose: PURPOSE, status: 1 }]);
});

it("is replaced when it is old, and mined once", async () => {
  const context = await newContext({ replaceMs: 0 });
  await chain.send("evm_setAutomine", false);
  onTestFinished(async () => {
    await chain.send("evm_setAutomine", true);
  });
  const view = await readChainView(context);
  const sent = await sendTransaction({ context, view, purpose: PURPOSE, ...registerModel("old") });
  await tendAccount({ context, view: await readChainView(context) });
  const [open] = await listOpenTransactions({ database: context.database });
  expect(open?.transaction.nonce).toBe(sent?.nonce);
  expect(open?.transaction.hash).not.toBe(sent?.hash);
  await chain.send("evm_mine");
  expect(await tend(context)).toEqual([{ purpose: PURPOSE, status: 1 }]);
  expect(await chain.provider.getTransactionCount(context.wallet.address)).toBe(1);
});

it("is given up where another transaction took its nonce", async () => {
  const context = await newContext();
  await chain.send("evm_setAutomine", false);
  onTestFinished(async () => {
    await chain.send("evm_setAutomine", true);
  });
  const view = await readChainView(context);
  await sendTransaction({ context, view, purpose: PURPOSE, ...registerModel("taken") });
  const outside = context.wallet.connect(chain.provider);
  const fee = 10n ** 12n;
  const fees = { maxFeePerGas: fee, maxPriorityFeePerGas: fee };
  await outside.sendTransaction({ to: outside.address, nonce: 0, ...fees });
  await chain.send("evm_mine");
  await tendAccount({ context, view: await readChainView(context) });
  expect(await listOpenTransactions({ database: context.database })).toEqual([]);
});

it.skipIf(inject("postgresUrl") === undefined).each([90, -90])(
  "is not replaced before its time where this machine's clock is %d s off the database's",
  async (skew) => {
    const times = { rebroadcastMs: 3_600_000, replaceMs: 60_000 };
    const context = await newContext(times, await newDatabase());
    await chain.send("evm_setAutomine", false);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + skew * 1000 });
    onTestFinished(async () => {
      vi.useRealTimers();
      await chain.send("evm_setAutomine", true);
    });
    const { database } = context;
    const call = registerModel(`skew${skew + 100}`);
    const attempts = async () => (await database.query("SELECT hash FROM attempts")).length;
    await sendTransaction({
      context,
      view: await readChainView(context),
      purpose: PURPOSE,
      ...call,
    });
    for (let pass = 0; pass < 5; pass++) {
      await tendAccount({ context, view: await readChainView(context) });
    }
    expect(await attempts()).toBe(1);
    // By the database's clock it is old now.
    await database.query("UPDATE attempts SET signed_at = signed_at - interval '61 seconds'");
    await tendAccount({ context, view: await readChainView(context) });
    expect(await attempts()).toBe(2);
    await tendAccount({ context, view: await readChainView(context) });
    expect(await attempts()).toBe(2);
    await chain.send("evm_mine");
  },
);

it("that is refused for its fees is raised to the market, and holds up no other", async () => {
  const context = await newContext();
  const { provider } = context.chain;
  const send = provider.send.bind(provider);
  let isRefusing = true;
  provider.send = async (method, params) => {
    if (method !== "eth_sendRawTransaction" || !isRefusing) return await send(method, params);
    const error = { code: -32000, message: "transaction underpriced" };
    throw provider.getRpcError(
      { id: 1, jsonrpc: "2.0", method, params: params as unknown[] },
      { id: 1, error },
    );
  };
  const view = await readChainView(context);
  const first = await sendTransaction({ context, view, purpose: "first", ...registerModel("r-a") });
  await sendTransaction({ context, view, purpose: "second", ...registerModel("r-b") });
  await tendAccount({ context, view: await readChainView(context) });
  // What the market asks is offered already: more is not offered in a hurry.
  const open = await listOpenTransactions({ database: context.database });
  expect(open.map(({ transaction }) => transaction.silentMs)).toEqual([null, null]);
  expect(open[0]?.transaction.hash).toBe(first?.hash);
  const old = { ...context, replaceMs: 0 };
  await tendAccount({ context: old, view: await readChainView(context) });
  const [raised] = await listOpenTransactions({ database: context.database });
  expect(raised?.transaction.hash).not.toBe(first?.hash);
  isRefusing = false;
  const mined: string[] = [];
  await waitFor(async () => {
    await tendAccount({
      context,
      view: await readChainView(context),
      onMined: ({ purpose }) => mined.push(purpose),
    });
    return mined.length === 2 ? true : undefined;
  });
  expect(mined).toEqual(["first", "second"]);
});
