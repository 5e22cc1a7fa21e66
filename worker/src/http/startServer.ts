import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { describeError, StartError } from "../errors.ts";

export type RunningServer = {
  url: string;
  /** Stops accepting, and returns when every request that was accepted has its answer. */
  close(): Promise<void>;
};

/** Listens. @throws StartError naming the variables where the address is taken or not this machine's */
export async function startServer(parameters: {
  app: Hono;
  host: string;
  port: number;
  /** Node's limit where it is left out */
  maximumHeaderBytes?: number;
}): Promise<RunningServer> {
  const { app, host, maximumHeaderBytes, port } = parameters;
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...(maximumHeaderBytes === undefined
      ? {}
      : { serverOptions: { maxHeaderSize: maximumHeaderBytes } }),
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new StartError({
          code: "http.cannotListen",
          message: `HACA_HTTP_HOST, HACA_HTTP_PORT: cannot listen on ${host}:${port}: ${describeError(cause)}`,
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shownHost}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
