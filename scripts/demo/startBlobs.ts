import { join } from "node:path";
import { freePort } from "../lib/freePort.ts";
import type { ProcessGroup } from "../lib/processGroup.ts";

/** Starts a folder that answers as a blob store, and returns its URL. */
export async function startBlobs(parameters: {
  group: ProcessGroup;
  runFolder: string;
  timeoutMs: number;
}): Promise<string> {
  const { group, runFolder, timeoutMs } = parameters;
  const port = await freePort(8090);
  const url = `http://127.0.0.1:${port}`;
  group.start({
    name: "blobs",
    command: process.execPath,
    arguments: [
      "scripts/blobs/cli.ts",
      ...["--folder", join(runFolder, "blobs"), "--port", String(port)],
    ],
  });
  await group.waitFor({
    name: "blobs",
    timeoutMs,
    // It answers 404 to what it does not have.
    probe: async () => ((await fetch(url)).status < 500 ? true : undefined),
  });
  return url;
}
