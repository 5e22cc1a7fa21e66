import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { readAddressBook } from "@haca/protocol/addressBook";
import { sourceHashOf } from "@haca/protocol/dataFeeds";
import { getAddress, keccak256 } from "ethers";
import type { Logger } from "pino";
import { StartError } from "../errors.ts";
import { startServer } from "../http/startServer.ts";
import { createMetrics } from "../metrics/createMetrics.ts";
import { type Condition, Wakeup } from "../repeat.ts";
import { createDataNodeApp } from "../roles/dataNode/createDataNodeApp.ts";
import { createDataNodeMetrics } from "../roles/dataNode/createDataNodeMetrics.ts";
import { createObservePass } from "../roles/dataNode/createObservePass.ts";
import { createPostPass } from "../roles/dataNode/createPostPass.ts";
import type { DataNodeContext, WatchedFeed } from "../roles/dataNode/dataNodeContext.ts";
import { createFeedContract, type FeedContract } from "../roles/dataNode/feedContract.ts";
import { releaseAllFeeds } from "../roles/dataNode/feedLeases.ts";
import type { DataNodeConfig } from "../roles/dataNode/readDataNodeConfig.ts";
import { EnclaveError, fetchSigningKey } from "../roles/heartbeat/enclaveClient.ts";
import { databaseStore } from "../transactions/databaseStore.ts";
import { FeeGate } from "../transactions/fees.ts";
import { Funds } from "../transactions/funds.ts";
import { GasLimits } from "../transactions/gasLimits.ts";
import { createSender } from "../transactions/sender.ts";
import { CloseStack } from "./closeStack.ts";
import { openAccount } from "./openAccount.ts";
import { PORTS, type Ports } from "./openParts.ts";
import { runLoops } from "./runLoops.ts";
import type { RunningWorker } from "./startWorker.ts";
import { untilReachable } from "./untilReachable.ts";

/**
 * Starts the role `data-node` in this process: has an enclave observe sources, gathers what other nodes saw, and posts rounds.
 * @throws StartError or another BaseError, each one line that says what to change
 */
export async function startDataNode(parameters: {
  config: DataNodeConfig;
  logger: Logger;
  /** aborts a start that waits for chain or enclave */
  signal: AbortSignal;
  ports?: Ports;
}): Promise<RunningWorker> {
  const { config, logger, ports = PORTS, signal } = parameters;
  const { confirmations, maxFeePerGas, pollMs } = config;
  const book = readAddressBook(config.addressBook);
  const address = addressOf(config, book.contracts.DataFeeds?.address);
  const closers = new CloseStack();
  try {
    const { chain, database, wallet } = await openAccount({
      ...{ config, book, logger, signal, ports, closers },
      contracts: { DataFeeds: address },
      release: releaseAllFeeds,
    });
    const { provider } = chain;
    const account = wallet.address;
    const contract = createFeedContract({ provider, address });
    const feeds = await untilReachable({
      operation: () => readFeeds({ config, contract }),
      ...{ signal, logger },
    });
    const teeId = await untilReachable({
      operation: () => teeIdOf(config.enclaveUrl),
      ...{ signal, logger },
    });
    const metrics = createMetrics({ database });
    const funds = new Funds({ account, metrics, logger });
    const context: DataNodeContext = {
      ...{ chainId: chain.chainId, contract, teeId, feeds, database, logger },
      ...{ enclaveUrl: config.enclaveUrl, peers: config.peers, deviation: config.deviation },
      turnSeconds: BigInt(config.turnSeconds),
      owner: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
      sender: createSender({
        store: databaseStore(database),
        ...{ chain, wallet, funds, metrics, logger, confirmations },
        gate: new FeeGate({ ceiling: maxFeePerGas, metrics, logger }),
        gasLimits: new GasLimits(),
        ...{ rebroadcastMs: config.rebroadcastMs, replaceMs: config.replaceMs },
      }),
      latest: new Map(),
      metrics: createDataNodeMetrics({ registers: [metrics.registry] }),
      now: () => BigInt(Math.floor(Date.now() / 1000)),
    };
    const conditions = new Map<string, Condition>();
    const server = await startServer({
      app: createDataNodeApp({
        ...{ context, metrics, logger, conditions, funds: () => funds.view },
        bodyLimit: config.http.bodyLimit,
      }),
      ...config.http,
    });
    const stopping = new AbortController();
    const observe = {
      ...{ name: "observe", pass: createObservePass(context), wakeup: new Wakeup() },
      intervalMs: config.observeSeconds * 1_000,
    };
    const post = {
      ...{ name: "post", pass: createPostPass(context), wakeup: new Wakeup() },
      intervalMs: pollMs,
    };
    const loops = runLoops({
      loops: [observe, post],
      ...{ conditions, metrics, signal: stopping.signal, logger },
    });
    closers.add(async () => {
      stopping.abort();
      await Promise.all([server.close(), ...loops]);
    });
    const ids = feeds.map(({ feedId }) => feedId);
    logger.info({ url: server.url, account, teeId, feeds: ids }, "listening");
    return { url: server.url, stop: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function addressOf(config: DataNodeConfig, address: string | undefined): string {
  if (address !== undefined) return getAddress(address);
  throw new StartError({
    code: "dataNode.noFeeds",
    message: `HACA_ADDRESS_BOOK: ${config.addressBook} has no DataFeeds: deploy it first`,
  });
}

/** Refuses a feed that there is not, or whose source is another: no observation of it would count. */
async function readFeeds(parameters: {
  config: DataNodeConfig;
  contract: FeedContract;
}): Promise<WatchedFeed[]> {
  const { config, contract } = parameters;
  const feeds: WatchedFeed[] = [];
  for (const { feedId, source } of config.feeds) {
    const feed = await contract.read(feedId);
    if (feed === undefined) {
      throw new StartError({
        code: "dataNode.noFeed",
        message: `HACA_FEEDS: there is no feed ${feedId} on chain ${config.chainId}`,
      });
    }
    const { decimals, sourceHash } = feed;
    const actual = sourceHashOf(source);
    if (actual !== sourceHash) {
      throw new StartError({
        code: "dataNode.otherSource",
        message: `HACA_FEEDS: feed ${feedId} has the source ${sourceHash}, and this URL and pointer are ${actual}`,
      });
    }
    feeds.push({ feedId, source, decimals });
  }
  return feeds;
}

/** An enclave that does not answer yet is waited for; one that answers nonsense is not. */
async function teeIdOf(url: string): Promise<string> {
  try {
    return keccak256(await fetchSigningKey({ url }));
  } catch (error) {
    if (!(error instanceof EnclaveError) || error.code !== "enclave.unreachable") throw error;
    throw new Error(error.message, { cause: error });
  }
}
