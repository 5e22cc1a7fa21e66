import { join } from "node:path";
import { freePort } from "../lib/freePort.ts";
import type { ProcessGroup } from "../lib/processGroup.ts";
import { CHAIN_ID, developmentKey } from "./localChain.ts";

/** The worker's account on the local chain; account 0 is the deployer's. */
const NODE_ACCOUNT = 1;

/** Starts a worker in all its roles on port 8787, or on a free one, and returns its URL once it is healthy. */
export async function startWorker(parameters: {
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  /** folder of the compiled model that it serves */
  folder: string;
  timeoutMs: number;
}): Promise<string> {
  const { group, runFolder, rpcUrl, folder, timeoutMs } = parameters;
  const port = await freePort(8787);
  const url = `http://127.0.0.1:${port}`;
  group.start({
    name: "worker",
    command: process.execPath,
    arguments: ["worker/src/cli.ts", "infer", "prove", "settle"],
    environment: {
      HACA_CHAIN_ID: String(CHAIN_ID),
      HACA_RPC_URL: rpcUrl,
      HACA_NODE_KEY: developmentKey(NODE_ACCOUNT),
      HACA_HTTP_PORT: String(port),
      HACA_DATA_DIR: join(runFolder, "worker"),
      HACA_MODELS: folder,
    },
  });
  await group.waitFor({
    name: "worker",
    timeoutMs,
    probe: async () => ((await fetch(`${url}/health`)).ok ? true : undefined),
  });
  return url;
}
