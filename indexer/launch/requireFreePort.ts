import { createServer } from "node:http";
import { BaseError } from "@haca/protocol/baseError";

/**
 * Throws `settings.portUnavailable` if nothing can listen there. Ponder would quietly take the next port,
 * and whoever asks this one would talk to another program.
 */
export async function requireFreePort(parameters: { host: string; port: number }): Promise<void> {
  const { host, port } = parameters;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new BaseError({
          code: "settings.portUnavailable",
          message: `HACA_INDEXER_PORT: cannot listen on ${host}:${port} (${cause.code})`,
          cause,
        }),
      );
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
