import { join } from "node:path";
import { freePort } from "../lib/freePort.ts";
import type { ProcessGroup } from "../lib/processGroup.ts";
import { CHAIN_ID } from "./localChain.ts";

/** Starts the indexer on port 42069, or on a free one, and returns its URL once it has read the chain. */
export async function startIndexer(parameters: {
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  /** of the store that pages' results are read from */
  blobsUrl: string;
  timeoutMs: number;
}): Promise<string> {
  const { group, runFolder, rpcUrl, blobsUrl, timeoutMs } = parameters;
  const port = await freePort(42069);
  const url = `http://127.0.0.1:${port}`;
  group.start({
    name: "indexer",
    command: process.execPath,
    arguments: ["indexer/launch/cli.ts"],
    environment: {
      HACA_CHAIN_ID: String(CHAIN_ID),
      HACA_RPC_URL: rpcUrl,
      HACA_INDEXER_PORT: String(port),
      HACA_BLOB_AGGREGATOR: blobsUrl,
      HACA_INDEXER_DATA_DIR: join(runFolder, "indexer"),
    },
  });
  await group.waitFor({
    name: "indexer",
    timeoutMs,
    probe: async () => ((await fetch(`${url}/ready`)).ok ? true : undefined),
  });
  return url;
}
