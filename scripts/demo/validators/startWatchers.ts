import { join } from "node:path";
import { type JsonRpcProvider, Wallet } from "ethers";
import { freePort } from "../../lib/freePort.ts";
import type { ProcessGroup } from "../../lib/processGroup.ts";
import type { Report } from "../../lib/progress.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import type { Seat } from "./seatValidators.ts";

/** Who pays for the watcher's challenges. */
const WATCHER = 10;
const STEP_TIMEOUT_MS = 120_000;

/** Waits for what the chain shows when somebody has done something. */
export type Wait = <T>(what: string, probe: () => Promise<T | undefined>) => Promise<T>;

/**
 * Starts a validator for each seat, which tell each other their signatures, and a watcher that has no stake. Returns the
 * watcher's account.
 */
export async function startWatchers(parameters: {
  provider: JsonRpcProvider;
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  blobsUrl: string;
  /** folders of compiled models, for answers that are computed again */
  models: string;
  seats: readonly Seat[];
  report: Report;
}): Promise<Wallet> {
  const { provider, group, runFolder, rpcUrl, blobsUrl, models, seats, report } = parameters;
  const common = {
    HACA_CHAIN_ID: String(CHAIN_ID),
    HACA_RPC_URL: rpcUrl,
    HACA_BLOB_AGGREGATOR: blobsUrl,
    HACA_CONFIRMATIONS: "1",
    HACA_POLL_MS: "200",
    HACA_RECHECK_SECONDS: "5",
  };
  const ports: number[] = [];
  for (const _ of seats) ports.push(await freePort(0));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const members = seats.map(({ key, owner }, index) => ({
    name: `validator-${index + 1}`,
    role: "validate",
    port: ports[index] ?? 0,
    settings: {
      HACA_WATCHER_KEY: owner.privateKey,
      HACA_VALIDATOR_KEY: key.privateKey,
      HACA_VALIDATOR_PEERS: urls.filter((_, other) => other !== index).join(","),
    },
  }));
  const watcherPort = await freePort(0);
  const watcher = {
    name: "watcher",
    role: "watch",
    port: watcherPort,
    settings: { HACA_WATCHER_KEY: developmentKey(WATCHER), HACA_MODELS: models },
  };
  for (const { name, port, role, settings } of [...members, watcher]) {
    group.start({
      name,
      command: process.execPath,
      arguments: ["worker/src/cli.ts", role],
      environment: {
        ...common,
        ...settings,
        HACA_HTTP_PORT: String(port),
        HACA_DATA_DIR: join(runFolder, name),
      },
    });
  }
  for (const { name, port } of [...members, watcher]) {
    report(name);
    await group.waitFor({
      ...{ name, timeoutMs: STEP_TIMEOUT_MS },
      probe: async () => ((await fetch(`http://127.0.0.1:${port}/health`)).ok ? true : undefined),
    });
  }
  return new Wallet(developmentKey(WATCHER), provider);
}
