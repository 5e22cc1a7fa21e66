import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { MAXIMUM_PAGE_BYTES } from "@haca/protocol/blobs/pageBlob";
import { LogSlices } from "@haca/protocol/logSlices";
import type { Logger } from "pino";
import { createApp } from "../api/createApp.ts";
import type { Config } from "../config/readConfig.ts";
import { StartError } from "../errors.ts";
import { startServer } from "../http/startServer.ts";
import { createRefreshPass } from "../models/versionStatus.ts";
import { createProver } from "../prover/createProver.ts";
import { type Condition, Wakeup } from "../repeat.ts";
import type { CollectContext } from "../roles/collect/collectResults.ts";
import { Registries } from "../roles/collect/registries.ts";
import { Bench } from "../roles/prove/bench.ts";
import { createProvePass } from "../roles/prove/createProvePass.ts";
import { createSettlePass } from "../roles/settle/createSettlePass.ts";
import type { PagePorts } from "../roles/settle/pages/pagePorts.ts";
import { restingStore } from "../roles/settle/pages/restingStore.ts";
import type { PaymentPorts } from "../roles/settle/payments/paymentPorts.ts";
import { databaseStore } from "../transactions/databaseStore.ts";
import { FeeGate } from "../transactions/fees.ts";
import { createAccountPass } from "../transactions/funds.ts";
import { GasLimits } from "../transactions/gasLimits.ts";
import { CloseStack } from "./closeStack.ts";
import { openParts, type Parts, PORTS, type Ports } from "./openParts.ts";
import { provingModelOf } from "./provingModelOf.ts";
import { requireOptimistic } from "./requireOptimistic.ts";
import { type Loop, runLoops } from "./runLoops.ts";
import { untilReachable } from "./untilReachable.ts";

/** Looks at the queue between two looks at a page that waits for its end. */
const LOOK_POLLS = 10;
/** More requests to the endpoint than sending a transaction makes one after another. */
const SENDING_REQUESTS = 10;

export type RunningWorker = {
  url: string;
  /** Finishes what is in flight, then closes everything. */
  stop(): Promise<void>;
};

/**
 * Starts the roles of the configuration in this process.
 * @throws StartError or another BaseError, each one line that says what to change
 */
export async function startWorker(parameters: {
  config: Config;
  logger: Logger;
  /** aborts a start that waits for the chain */
  signal: AbortSignal;
  ports?: Ports;
}): Promise<RunningWorker> {
  const { config, logger, ports = PORTS } = parameters;
  const closers = new CloseStack();
  try {
    const parts = await openParts({ ...parameters, closers, ports });
    await untilReachable({
      operation: () => requireOptimistic(parts),
      ...{ signal: parameters.signal, logger },
    });
    const stopping = new AbortController();
    const wakeups = { prove: [] as Wakeup[], settle: new Wakeup() };
    const loops = [
      ...refreshLoop(parts),
      ...accountLoop(parts),
      ...(await proveLoops({ parts, wakeups, closers })),
      ...settleLoop({ parts, wakeups, signal: stopping.signal }),
    ];
    const conditions = new Map<string, Condition>(
      config.roles.map((role) => [role, { state: "working" }]),
    );
    const onAccepted = () => {
      for (const wakeup of wakeups.prove) wakeup.notify();
      if (config.optimisticModels.length > 0) wakeups.settle.notify();
    };
    const collect = await openCollect({ parts, wakeups, signal: parameters.signal });
    const server = await startServer({
      app: createApp({
        ...parts,
        bodyLimit: config.http.bodyLimit,
        conditions,
        inference: inferContextOf({ parts, onAccepted }),
        collect,
        ...{ collectSecret: config.collectSecret, origins: config.origins },
      }),
      ...config.http,
    });
    const { metrics } = parts;
    const running = runLoops({ loops, conditions, metrics, signal: stopping.signal, logger });
    closers.add(async () => {
      stopping.abort();
      await Promise.all([server.close(), ...running]);
    });
    logger.info({ url: server.url, roles: config.roles }, "listening");
    return { url: server.url, stop: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function inferContextOf(parameters: { parts: Parts; onAccepted: () => void }) {
  const { parts, onAccepted } = parameters;
  const { config, wallet } = parts;
  if (!config.roles.includes("infer") || wallet === undefined) return undefined;
  return {
    ...parts,
    wallet,
    price: config.price,
    optimisticModels: config.optimisticModels,
    onAccepted,
  };
}

/** What takes in results of enclaves, which wait for nothing but their settlement. */
async function openCollect(parameters: {
  parts: Parts;
  wakeups: { settle: Wakeup };
  signal: AbortSignal;
}): Promise<CollectContext | undefined> {
  const { parts, signal, wakeups } = parameters;
  const { chain, config, logger, wallet } = parts;
  if (!config.roles.includes("collect") || wallet === undefined) return undefined;
  const operators = config.operators.length === 0 ? [wallet.address] : config.operators;
  const registries = await untilReachable({
    operation: () => Registries.open({ chain, operators }),
    ...{ signal, logger },
  });
  return {
    ...parts,
    registries,
    account: wallet.address,
    onAccepted: () => wakeups.settle.notify(),
  };
}

function refreshLoop(parts: Parts): Loop[] {
  const { config } = parts;
  if (!config.roles.includes("infer")) return [];
  const intervalMs = config.modelRefreshMs;
  return [{ name: "infer", pass: createRefreshPass(parts), wakeup: new Wakeup(), intervalMs }];
}

/** Not a role, but work that can fail: what the account holds, and what time the chain has. */
function accountLoop(parts: Parts): Loop[] {
  const { config, funds, wallet } = parts;
  if (funds === undefined || wallet === undefined) return [];
  const pass = createAccountPass({ ...parts, funds, wallet });
  return [{ name: "account", pass, wakeup: new Wakeup(), intervalMs: config.modelRefreshMs }];
}

async function proveLoops(parameters: {
  parts: Parts;
  wakeups: { prove: Wakeup[]; settle: Wakeup };
  closers: CloseStack;
}): Promise<Loop[]> {
  const { parts, wakeups, closers } = parameters;
  const { config, logger, owner } = parts;
  if (!config.roles.includes("prove")) return [];
  const models = parts.models.map(provingModelOf);
  const { prover: setting, proveThreads: threads } = config;
  const { jobs, prover } = createProver({ setting, threads, models, logger });
  closers.add(() => prover.close());
  for (const [index, { slug, version }] of parts.models.entries()) {
    logger.info({ model: slug, version }, "loading the proving key");
    const model = models[index];
    if (model !== undefined) await prover.load({ model });
  }
  const onProven = () => wakeups.settle.notify();
  const bench = new Bench();
  // A name of its own for each: an owner's own leases do not keep it out.
  const contextOf = (place: string) => ({
    ...{ ...parts, owner: `${owner}-${place}`, bench, prover, onProven },
  });
  const loops = Array.from({ length: jobs }, (_, index): Loop => {
    const name = index === 0 ? "prove" : `prove ${index + 1}`;
    const wakeup = new Wakeup();
    wakeups.prove.push(wakeup);
    const pass = createProvePass(contextOf(String(index)));
    return { name, pass, wakeup, intervalMs: config.pollMs };
  });
  const demanded = createProvePass(contextOf("demanded"), "demanded");
  const last = { name: "prove demanded", pass: demanded, wakeup: new Wakeup() };
  return [...loops, { ...last, intervalMs: config.pollMs }];
}

function settleLoop(parameters: {
  parts: Parts;
  wakeups: { settle: Wakeup };
  signal: AbortSignal;
}): Loop[] {
  const { parts, wakeups, signal } = parameters;
  const { config, funds, wallet } = parts;
  if (!config.roles.includes("settle") || funds === undefined || wallet === undefined) return [];
  const { batch, confirmations, page, rebroadcastMs, reorgBlocks, replaceMs } = config;
  const pages = pagePortsOf({ parts, signal });
  const escrow = config.escrow ?? parts.chain.escrow;
  const lookSeconds = (LOOK_POLLS * config.pollMs) / 1_000;
  const gateUpTo = (ceiling: bigint) => new FeeGate({ ceiling, ...parts });
  const pass = createSettlePass({
    ...parts,
    store: databaseStore(parts.database),
    wallet,
    funds,
    gate: gateUpTo(config.maxFeePerGas),
    urgentGate: gateUpTo(config.urgentMaxFeePerGas),
    batch: { ...batch, ...(page === undefined ? {} : { page }) },
    ...(pages === undefined ? {} : { pages }),
    ...(escrow === undefined ? {} : { payments: paymentPortsOf(escrow, lookSeconds) }),
    channels: {
      ...{ lookSeconds, claimSeconds: config.claimSeconds, knownGates: new Set<string>() },
      sendingSeconds: lookSeconds + (SENDING_REQUESTS * config.rpcTimeoutMs) / 1_000,
    },
    confirmations,
    gasLimits: new GasLimits(),
    rebroadcastMs,
    replaceMs,
    reorgBlocks,
    signal,
  });
  return [{ name: "settle", pass, wakeup: wakeups.settle, intervalMs: config.pollMs }];
}

const paymentPortsOf = (escrow: string, lookSeconds: number): PaymentPorts => ({
  ...{ escrow, lookSeconds, slices: new LogSlices() },
  knownOperators: new Map<string, string>(),
});

/**
 * What pages need, also where none are proposed any more: what was proposed is looked after. Undefined where the deployment
 * has no contract for them. @throws StartError where there are to be some all the same
 */
function pagePortsOf(parameters: { parts: Parts; signal: AbortSignal }): PagePorts | undefined {
  const { parts, signal } = parameters;
  const { chain, config } = parts;
  const { blobs, page, pollMs } = config;
  if (chain.pageSettlement === undefined) {
    if (page === undefined) return undefined;
    throw new StartError({
      code: "page.noContract",
      message: `HACA_PAGE_SIZE: ${config.addressBook} has no PageSettlement: deploy it first, or set 1`,
    });
  }
  const lookSeconds = (LOOK_POLLS * pollMs) / 1_000;
  const ports = { contract: chain.pageSettlement, size: page?.size ?? 1, lookSeconds };
  if (blobs === undefined) return { ...ports, renewSeconds: 0 };
  // Whatever the store makes of a content: it is read back and compared with what was sent.
  const ids = "walrus";
  const store = createHttpBlobStore({ ...blobs, ids, maximumBytes: MAXIMUM_PAGE_BYTES, signal });
  return { ...ports, renewSeconds: blobs.renewSeconds, blobs: restingStore(store) };
}
