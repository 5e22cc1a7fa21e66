import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT, userPath } from "@haca/protocol/userPath";
import { openBlobFolder } from "./blobFolder.ts";
import { startBlobServer } from "./blobServer.ts";

const MAXIMUM_PORT = 65_535;

export type ServeOptions = {
  folder?: string;
  host: string;
  port: string;
  maximumBlob: string;
  maximumTotal: string;
};

/** Serves a folder until a signal stops it; what is being stored then is finished, and a second signal does not wait. */
export async function serve(options: ServeOptions): Promise<void> {
  const port = integer("port", options.port, 0, MAXIMUM_PORT);
  const maximumBlob = integer("maximum-blob", options.maximumBlob, 1, Number.MAX_SAFE_INTEGER);
  const maximumTotal = integer(
    "maximum-total",
    options.maximumTotal,
    maximumBlob,
    Number.MAX_SAFE_INTEGER,
  );
  const folder =
    options.folder === undefined ? join(PROJECT_ROOT, "data", "blobs") : userPath(options.folder);
  const stopped = signalled();
  const blobs = await openBlobFolder({ folder, limits: { maximumBlob, maximumTotal } });
  try {
    const report = (error: unknown): void => {
      console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    };
    const server = await startBlobServer({ blobs, host: options.host, port, report });
    console.log(`blobs in ${folder}: ${blobs.count()}, ${blobs.total()} bytes
  publisher    ${server.url}/v1/blobs
  aggregator   ${server.url}
Ctrl-C ends it`);
    await stopped;
    await server.close();
    console.log("stopped");
  } finally {
    blobs.close();
  }
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        signals += 1;
        if (signals > 1) process.exit(1);
        resolve();
      });
    }
  });
}

function integer(name: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw new BaseError({
    code: "blobs.badOption",
    message: `--${name} must be an integer from ${minimum} to ${maximum}, got ${text}`,
  });
}
