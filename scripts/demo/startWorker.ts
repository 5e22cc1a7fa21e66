import { join } from "node:path";
import { freePort } from "../lib/freePort.ts";
import type { ProcessGroup } from "../lib/processGroup.ts";
import { CHAIN_ID, developmentKey } from "./localChain.ts";

/** Starts a worker on port 8787, or on a free one, and returns its URL once it is healthy. */
export async function startWorker(parameters: {
  group: ProcessGroup;
  name: string;
  /** number of its account on the local chain, of which 0 is the deployer's */
  account: number;
  /** what it does: by default everything that proofs need */
  roles?: readonly string[];
  /** its settings, besides chain, key and folder */
  settings: Readonly<Record<string, string>>;
  runFolder: string;
  rpcUrl: string;
  timeoutMs: number;
}): Promise<string> {
  const { group, name, account, settings, runFolder, rpcUrl, timeoutMs } = parameters;
  const { roles = ["infer", "prove", "settle"] } = parameters;
  const port = await freePort(8787);
  const url = `http://127.0.0.1:${port}`;
  group.start({
    name,
    command: process.execPath,
    arguments: ["worker/src/cli.ts", ...roles],
    environment: {
      HACA_CHAIN_ID: String(CHAIN_ID),
      HACA_RPC_URL: rpcUrl,
      HACA_NODE_KEY: developmentKey(account),
      HACA_HTTP_PORT: String(port),
      HACA_DATA_DIR: join(runFolder, name),
      ...settings,
    },
  });
  await group.waitFor({
    name,
    timeoutMs,
    probe: async () => ((await fetch(`${url}/health`)).ok ? true : undefined),
  });
  return url;
}
