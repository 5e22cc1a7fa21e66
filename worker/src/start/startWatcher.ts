import { statSync } from "node:fs";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { MAXIMUM_PAGE_BYTES } from "@haca/protocol/blobs/pageBlob";
import { getAddress, Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import { StartError } from "../errors.ts";
import { startServer } from "../http/startServer.ts";
import { createMetrics, type Metrics } from "../metrics/createMetrics.ts";
import { loadServedModels } from "../models/loadServedModels.ts";
import type { ServedModel } from "../models/servedModel.ts";
import { type Condition, Wakeup } from "../repeat.ts";
import { addAttestationRoutes } from "../roles/validate/addAttestationRoutes.ts";
import { attestPages } from "../roles/validate/attestPages.ts";
import { createCollectPass } from "../roles/validate/collectSignatures.ts";
import { freezeEpoch } from "../roles/validate/freezeEpoch.ts";
import { nextAttestation } from "../roles/validate/nextAttestation.ts";
import { payPages } from "../roles/validate/payPages.ts";
import { Peer } from "../roles/validate/peer.ts";
import { createSignPass } from "../roles/validate/signPages.ts";
import { slashSigners } from "../roles/validate/slashSigners.ts";
import type { ValidateContext } from "../roles/validate/validateContext.ts";
import { makeChallenge } from "../roles/watch/challenges.ts";
import { findConflict } from "../roles/watch/conflicts.ts";
import { createReceiptPass } from "../roles/watch/createReceiptPass.ts";
import { createWatchApp } from "../roles/watch/createWatchApp.ts";
import { createActPass, WATCH_STEPS } from "../roles/watch/createWatchPass.ts";
import { noteDoubts } from "../roles/watch/doubtedLeaves.ts";
import { WATCH_DUES } from "../roles/watch/nextDue.ts";
import type { WatchConfig } from "../roles/watch/readWatchConfig.ts";
import { ReceiptFolder } from "../roles/watch/receiptFolder.ts";
import type { Step, WatchContext } from "../roles/watch/watchContext.ts";
import type { Database } from "../storage/database.ts";
import { databaseStore } from "../transactions/databaseStore.ts";
import { FeeGate } from "../transactions/fees.ts";
import { GasLimits } from "../transactions/gasLimits.ts";
import { createSender } from "../transactions/sender.ts";
import { releaseAllDuties } from "../verifier/duties.ts";
import { createFollowPass } from "../verifier/followPages.ts";
import { createInspectPass, type InspectContext } from "../verifier/inspectPages.ts";
import { KeyRing } from "../verifier/keyRing.ts";
import { createVerifierMetrics } from "../verifier/verifierMetrics.ts";
import { CloseStack } from "./closeStack.ts";
import { openAccount } from "./openAccount.ts";
import { PORTS, type Ports } from "./openParts.ts";
import { type Loop, runLoops } from "./runLoops.ts";
import type { RunningWorker } from "./startWorker.ts";
import { untilReachable } from "./untilReachable.ts";

/**
 * Starts the roles `watch` and `validate`, or one of them: looks at the pages of others, shows what is wrong with them, and
 * vouches for those that are good.
 * @throws StartError or another BaseError, each one line that says what to change
 */
export async function startWatcher(parameters: {
  config: WatchConfig;
  logger: Logger;
  /** aborts a start that waits for the chain */
  signal: AbortSignal;
  ports?: Ports;
}): Promise<RunningWorker> {
  const { config, logger, ports = PORTS, signal } = parameters;
  const { pollMs, roles } = config;
  const closers = new CloseStack();
  try {
    const book = readAddressBook(config.addressBook);
    const contracts = contractsOf({ config, book });
    const { chain, database, wallet } = await openAccount({
      ...{ config, book, logger, signal, ports, closers },
      contracts: contracts.addresses,
      release: releaseAllDuties,
    });
    const account = wallet.address;
    const models = await untilReachable({
      operation: () => loadServedModels({ folders: config.models, addressBook: book, chain }),
      ...{ signal, logger },
    });
    const metrics = createMetrics({ database });
    const stopping = new AbortController();
    const context = contextOf({
      ...{ config, logger, database, chain, wallet, metrics, contracts },
      signal: stopping.signal,
    });
    const conditions = new Map<string, Condition>(roles.map((role) => [role, WORKING]));
    const loops = loopsOf({ config, context, models, signal: stopping.signal });
    const app = createWatchApp({
      ...{ database, metrics, logger, conditions, account },
      bodyLimit: config.http.bodyLimit,
    });
    if (config.validator !== undefined) addAttestationRoutes(app, { database });
    const server = await startServer({ app, ...config.http });
    const running = runLoops({ loops, conditions, metrics, signal: stopping.signal, logger });
    closers.add(async () => {
      stopping.abort();
      await Promise.all([server.close(), ...running]);
    });
    logger.info({ url: server.url, account, roles, pollMs }, "listening");
    return { url: server.url, stop: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

const WORKING: Condition = { state: "working" };

type Contracts = {
  /** by their names in the address book */
  addresses: { PageSettlement: string; TEERegistry: string; ValidatorStaking?: string };
  /** block that holds the creation of `PageSettlement` */
  firstBlock: number;
};

function contextOf(parameters: {
  config: WatchConfig;
  logger: Logger;
  database: Database;
  chain: Chain;
  wallet: Wallet;
  metrics: Metrics;
  contracts: Contracts;
  signal: AbortSignal;
}): WatchContext {
  const { chain, config, contracts, database, logger, metrics, signal, wallet } = parameters;
  const { confirmations, rebroadcastMs, replaceMs, reorgBlocks } = config;
  const { PageSettlement, TEERegistry, ValidatorStaking } = contracts.addresses;
  const account = {
    ...{ chain, wallet, metrics, logger, confirmations, rebroadcastMs, replaceMs },
    store: databaseStore(database),
    gasLimits: new GasLimits(),
  };
  const senderUpTo = (ceiling: bigint) =>
    createSender({ ...account, gate: new FeeGate({ ceiling, metrics, logger }) });
  const { aggregator, timeoutMs } = config.blobs;
  return {
    ...{ database, logger, confirmations, reorgBlocks },
    chain: { ...chain, pageSettlement: PageSettlement },
    ...(ValidatorStaking === undefined ? {} : { staking: ValidatorStaking }),
    blobs: createHttpBlobStore({
      // Nothing is stored here; whatever the store's ids are made of, the root says what the content is.
      ...{ aggregator, timeoutMs, publisher: aggregator, ids: "walrus", epochs: 1, signal },
      maximumBytes: MAXIMUM_PAGE_BYTES,
    }),
    keys: new KeyRing({ chain, registry: TEERegistry }),
    firstBlock: contracts.firstBlock,
    recheckSeconds: config.recheckSeconds,
    metrics: createVerifierMetrics({ database, registers: [metrics.registry] }),
    senders: {
      calm: senderUpTo(config.maxFeePerGas),
      urgent: senderUpTo(config.urgentMaxFeePerGas),
      urgentSeconds: BigInt(config.urgentSeconds),
    },
    requestLeaves: config.requestLeaves,
    requestBudget: config.requestBudget,
    demandProofs: config.demandProofs,
    requestAfterSeconds: config.requestAfterSeconds,
    answersRequests: config.answersRequests,
  };
}

/** Each in a loop of its own: a store that hangs holds up nothing that is to be sent. */
function loopsOf(parameters: {
  config: WatchConfig;
  context: WatchContext;
  models: readonly ServedModel[];
  signal: AbortSignal;
}): Loop[] {
  const { config, context, models, signal } = parameters;
  const { database, logger, senders } = context;
  const { pollMs: intervalMs, roles } = config;
  const challenger = senders.calm.account;
  const isWatching = roles.includes("watch");
  const receipts = receiptsOf(config, context);
  const looking: InspectContext = {
    ...{ ...context, models },
    ...(receipts === undefined
      ? {}
      : { findConflict: (parts) => findConflict({ ...parts, context, receipts }) }),
    async onDoubted({ doubted, pageId }) {
      if (isWatching) await noteDoubts({ database, pageId, doubted });
    },
    async onBad({ bad, pageId }) {
      if (!isWatching) return;
      if (!(await makeChallenge({ database, pageId, bad, challenger }))) return;
      const fields = { page: pageId, place: bad.leaf.index, reason: bad.reason };
      logger.warn(fields, "wrong leaf: challenging the page");
    },
  };
  const validating = validatingOf(config, context);
  const steps: Step[] = [
    ...(isWatching ? WATCH_STEPS : []),
    ...(validating === undefined ? [] : validateSteps(validating)),
  ];
  const dues = [
    ...(isWatching ? WATCH_DUES : []),
    ...(validating === undefined ? [] : [nextAttestation]),
  ];
  const loop = (name: string, pass: () => Promise<boolean>): Loop => ({
    ...{ name, pass, intervalMs, wakeup: new Wakeup() },
  });
  return [
    loop("follow", createFollowPass(looking)),
    loop("inspect", createInspectPass(looking)),
    ...(receipts === undefined ? [] : [loop("receipts", createReceiptPass(context, receipts))]),
    loop(isWatching ? "watch" : "validate", createActPass(context, steps, dues)),
    ...(validating === undefined
      ? []
      : [
          loop("sign", createSignPass(validating)),
          loop("collect", createCollectPass(validating, signal)),
        ]),
  ];
}

/** Undefined where nobody shows anything by them. @throws StartError */
function receiptsOf(config: WatchConfig, context: WatchContext): ReceiptFolder | undefined {
  const { receipts: path, roles } = config;
  if (path === undefined || !roles.includes("watch")) return undefined;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new StartError({
      code: "watch.noReceipts",
      message: `HACA_RECEIPTS: ${path} is no folder: make it first`,
    });
  }
  return new ReceiptFolder({ path, domain: context.chain.domain, logger: context.logger });
}

/** Undefined without the role `validate`. */
function validatingOf(config: WatchConfig, context: WatchContext): ValidateContext | undefined {
  const { validator } = config;
  const { staking } = context;
  if (validator === undefined || staking === undefined) return undefined;
  const { payMinimum, peers } = validator;
  return {
    ...{ ...context, staking, payMinimum, key: new Wallet(validator.key) },
    peers: peers.map((url) => new Peer(url)),
  };
}

const validateSteps = (context: ValidateContext): Step[] => [
  freezeEpoch(context),
  attestPages(context),
  slashSigners(context),
  payPages(context),
];

function contractsOf(parameters: { config: WatchConfig; book: AddressBook }): Contracts {
  const { book, config } = parameters;
  const contracts: Readonly<Record<string, { address: string; block: number } | undefined>> =
    book.contracts;
  const entryOf = (name: string) => {
    const entry = contracts[name];
    if (entry !== undefined) return { ...entry, address: getAddress(entry.address) };
    throw new StartError({
      code: "watch.noContract",
      message: `HACA_ADDRESS_BOOK: ${config.addressBook} has no ${name}: deploy it first`,
    });
  };
  const pages = entryOf("PageSettlement");
  const needsStaking = config.validator !== undefined || contracts.ValidatorStaking !== undefined;
  return {
    addresses: {
      PageSettlement: pages.address,
      TEERegistry: entryOf("TEERegistry").address,
      ...(needsStaking ? { ValidatorStaking: entryOf("ValidatorStaking").address } : {}),
    },
    firstBlock: pages.block,
  };
}
