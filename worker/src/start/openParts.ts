import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import { ChainClock } from "../chain/chainClock.ts";
import { connectChain } from "../chain/connectChain.ts";
import { findFreeNonce } from "../chain/findFreeNonce.ts";
import { probeEndpoint } from "../chain/probeEndpoint.ts";
import type { Config } from "../config/readConfig.ts";
import { claimIdentity, skipRequestNonces } from "../jobs/acceptJob.ts";
import { releaseAllLeases } from "../jobs/leases.ts";
import { createMetrics, type Metrics } from "../metrics/createMetrics.ts";
import { loadServedModels } from "../models/loadServedModels.ts";
import type { ServedModel } from "../models/servedModel.ts";
import type { Database } from "../storage/database.ts";
import { openDatabase } from "../storage/openDatabase.ts";
import { Funds } from "../transactions/funds.ts";
import type { CloseStack } from "./closeStack.ts";
import { untilReachable } from "./untilReachable.ts";

/** How a worker gets at what lies outside its process. Tests put others in place, such as one that dies. */
export type Ports = { openDatabase: typeof openDatabase; connectChain: typeof connectChain };
export const PORTS: Ports = { openDatabase, connectChain };

/** What the roles share. */
export type Parts = {
  config: Config;
  logger: Logger;
  database: Database;
  chain: Chain;
  models: readonly ServedModel[];
  /** absent where no role needs the key */
  wallet: Wallet | undefined;
  /** name under which this process leases jobs */
  owner: string;
  metrics: Metrics;
  clock: ChainClock;
  /** absent where no role needs the key */
  funds: Funds | undefined;
};

/**
 * Opens the queue, connects to the chain, loads the models and checks that all of it fits together.
 * @throws StartError or another BaseError, each one line that says what to change
 */
export async function openParts(parameters: {
  config: Config;
  logger: Logger;
  signal: AbortSignal;
  closers: CloseStack;
  ports: Ports;
}): Promise<Parts> {
  const { config, logger, signal, closers, ports } = parameters;
  const addressBook = readAddressBook(config.addressBook);
  const database = await openQueue({ config, logger, closers, ports });
  const { chain, models } = await untilReachable({
    operation: () => connect({ config, addressBook, ports }),
    signal,
    logger,
  });
  closers.add(async () => chain.provider.destroy());
  for (const { slug, status, version, versionId } of models) {
    logger.info({ model: slug, version, versionId, status }, "model loaded");
  }

  const wallet = config.nodeKey === undefined ? undefined : new Wallet(config.nodeKey);
  if (wallet !== undefined) {
    const { chainId, genesisHash, settlement } = chain;
    const node = wallet.address;
    await claimIdentity({ database, identity: { chainId, genesisHash, settlement, node } });
    if (config.roles.includes("settle")) {
      const { confirmations } = config;
      const { provider } = chain;
      await untilReachable({
        operation: () =>
          probeEndpoint({ provider, chainId: config.chainId, account: node, confirmations }),
        ...{ signal, logger },
      });
    }
    await untilReachable({
      operation: () => skipSettledNonces({ database, chain, node, logger }),
      signal,
      logger,
    });
  }
  const metrics = createMetrics({ database });
  return {
    config,
    logger,
    database,
    chain,
    models,
    wallet,
    owner: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
    metrics,
    clock: new ChainClock(),
    funds: wallet && new Funds({ account: wallet.address, metrics, logger }),
  };
}

async function openQueue(parameters: {
  config: Config;
  logger: Logger;
  closers: CloseStack;
  ports: Ports;
}): Promise<Database> {
  const { config, logger, closers, ports } = parameters;
  const url = config.databaseUrl;
  logger.info(url === undefined ? { folder: config.dataDirectory } : {}, "opening the queue");
  const database = await ports.openDatabase({
    folder: config.dataDirectory,
    url,
    poolSize: config.databasePool,
    onError: (error) => logger.warn({ err: error }, "database connection lost"),
  });
  closers.add(() => database.close());
  // The embedded database belongs to this process alone; leases in a shared one may be another worker's.
  if (url === undefined) await releaseAllLeases({ database });
  return database;
}

async function connect(parameters: {
  config: Config;
  addressBook: AddressBook;
  ports: Ports;
}): Promise<{ chain: Chain; models: ServedModel[] }> {
  const { config, addressBook, ports } = parameters;
  const { chainId, rpcTimeoutMs: timeoutMs, rpcUrl } = config;
  const chain = await ports.connectChain({ rpcUrl, timeoutMs, chainId, addressBook });
  try {
    return {
      chain,
      models: await loadServedModels({ folders: config.models, addressBook, chain }),
    };
  } catch (error) {
    chain.provider.destroy();
    throw error;
  }
}

async function skipSettledNonces(parameters: {
  database: Database;
  chain: Chain;
  node: string;
  logger: Logger;
}): Promise<void> {
  const { database, chain, node, logger } = parameters;
  const from = await skipRequestNonces({ database, minimum: 0n });
  const minimum = await findFreeNonce({ chain, node, from });
  if (minimum === from) return;
  await skipRequestNonces({ database, minimum });
  logger.warn(
    { from: from.toString(), to: minimum.toString() },
    "the chain has settlements that this queue does not know: skipping request nonces",
  );
}
