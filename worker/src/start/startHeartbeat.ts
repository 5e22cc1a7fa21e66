import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { teeRegistryDomain } from "@haca/protocol/teeMessages";
import { getAddress, keccak256, Wallet } from "ethers";
import type { Logger } from "pino";
import { connectChain } from "../chain/connectChain.ts";
import { probeEndpoint } from "../chain/probeEndpoint.ts";
import { requireContract } from "../chain/requireContract.ts";
import { StartError } from "../errors.ts";
import { startServer } from "../http/startServer.ts";
import { type Condition, repeat, Wakeup } from "../repeat.ts";
import { createHeartbeatApp } from "../roles/heartbeat/createHeartbeatApp.ts";
import { createHeartbeatMetrics } from "../roles/heartbeat/createHeartbeatMetrics.ts";
import { createHeartbeatPass } from "../roles/heartbeat/createHeartbeatPass.ts";
import { EnclaveError, fetchSigningKey } from "../roles/heartbeat/enclaveClient.ts";
import { readRegistry } from "../roles/heartbeat/heartbeatContext.ts";
import type { HeartbeatConfig } from "../roles/heartbeat/readHeartbeatConfig.ts";
import { sessionKeyPath } from "../roles/heartbeat/sessionKeyFile.ts";
import { FeeGate } from "../transactions/fees.ts";
import { GasLimits } from "../transactions/gasLimits.ts";
import { memoryStore } from "../transactions/memoryStore.ts";
import { CloseStack } from "./closeStack.ts";
import type { RunningWorker } from "./startWorker.ts";
import { untilReachable } from "./untilReachable.ts";

/** Share of the registry's limit after which the next heartbeat is due. */
const BEATS_PER_AGE = 3;

/**
 * Starts the role `heartbeat` in this process: keeps one enclave's node alive in the TEE registry.
 * @throws StartError or another BaseError, each one line that says what to change
 */
export async function startHeartbeat(parameters: {
  config: HeartbeatConfig;
  logger: Logger;
  /** aborts a start that waits for chain or enclave */
  signal: AbortSignal;
}): Promise<RunningWorker> {
  const { config, logger, signal } = parameters;
  const addressBook = readAddressBook(config.addressBook);
  const registry = registryOf(config, addressBook);
  const closers = new CloseStack();
  try {
    const { chainId, rpcTimeoutMs: timeoutMs, rpcUrl } = config;
    const { provider } = await untilReachable({
      operation: () => connectChain({ rpcUrl, timeoutMs, chainId, addressBook }),
      ...{ signal, logger },
    });
    closers.add(async () => provider.destroy());
    await requireContract({ provider, chainId, name: "TEERegistry", address: registry });
    const wallet = new Wallet(config.key);
    await untilReachable({
      // The nonce is read at the head alone.
      operation: () =>
        probeEndpoint({ provider, chainId, account: wallet.address, confirmations: 1 }),
      ...{ signal, logger },
    });
    const teeId = await untilReachable({
      operation: () => teeIdOf(config.enclaveUrl),
      ...{ signal, logger },
    });
    const [maxAge] = await readRegistry({
      context: { provider, registry },
      ...{ name: "heartbeatMaxAge", values: [] },
    });
    const intervalSeconds = intervalOf({ config, maxAge: Number(maxAge) });
    const stopping = new AbortController();
    const metrics = createHeartbeatMetrics();
    const identity = { chainId: BigInt(chainId), registry };
    const { maxFeePerGas: ceiling, rebroadcastMs } = config;
    const sender = {
      store: memoryStore(),
      chain: { provider, chainId: identity.chainId },
      ...{ wallet, gate: new FeeGate({ ceiling, metrics, logger }), metrics, logger },
      // What is not mined makes way for the next heartbeat: nobody pays more for one whose time has passed.
      gasLimits: new GasLimits(),
      ...{ confirmations: 1, rebroadcastMs, replaceMs: Number.POSITIVE_INFINITY },
    };
    const pass = createHeartbeatPass({
      context: {
        ...{ ...config, ...identity, provider, teeId, intervalSeconds, metrics, logger },
        domain: teeRegistryDomain(identity),
        sender,
        sessionPath: sessionKeyPath({ ...config, ...identity, teeId }),
        signal: stopping.signal,
      },
    });
    let condition: Condition = { state: "working" };
    const server = await startServer({
      app: createHeartbeatApp({ teeId, metrics, condition: () => condition }),
      ...config.http,
    });
    const running = repeat({
      ...{ name: "heartbeat", pass, wakeup: new Wakeup(), intervalMs: intervalSeconds * 1000 },
      ...{ signal: stopping.signal, logger },
      report: (current) => {
        condition = current;
      },
    });
    closers.add(async () => {
      stopping.abort();
      await Promise.all([server.close(), running]);
    });
    logger.info({ url: server.url, teeId, registry, intervalSeconds }, "listening");
    return { url: server.url, stop: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function registryOf(config: HeartbeatConfig, addressBook: AddressBook): string {
  const entry = addressBook.contracts.TEERegistry;
  if (entry !== undefined) return getAddress(entry.address);
  throw new StartError({
    code: "heartbeat.noRegistry",
    message: `HACA_ADDRESS_BOOK: ${config.addressBook} has no TEERegistry: deploy it first`,
  });
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

function intervalOf(parameters: { config: HeartbeatConfig; maxAge: number }): number {
  const { config, maxAge } = parameters;
  const interval = config.intervalSeconds ?? Math.floor(maxAge / BEATS_PER_AGE);
  if (interval < maxAge) return interval;
  throw new StartError({
    code: "heartbeat.tooSlow",
    message: `HACA_HEARTBEAT_SECONDS: ${interval} s is not less than the registry's limit of ${maxAge} s`,
  });
}
