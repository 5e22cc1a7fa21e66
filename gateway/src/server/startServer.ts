import type { Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { StartError } from "../gatewayError.ts";
import type { TlsSettings } from "../settings/readTls.ts";
import type { App } from "./app.ts";

export type RunningServer = {
  url: string;
  /** Stops accepting, and returns when every connection is closed. */
  close(): Promise<void>;
  /** Closes whatever is still open. */
  cut(): void;
};

/** Listens. @throws StartError where the address is taken or not this machine's */
export async function startServer(parameters: {
  app: App;
  host: string;
  port: number;
  /** settings that name host and port */
  names: string;
  /** how long a client may take to send a request */
  clientMs: number;
  /** absent: by http */
  tls?: TlsSettings | undefined;
}): Promise<RunningServer> {
  const { app, clientMs, host, names, port, tls } = parameters;
  const limits = {
    requestTimeout: clientMs,
    headersTimeout: clientMs,
    connectionsCheckingInterval: Math.min(clientMs, 1_000),
  };
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...(tls === undefined
      ? { serverOptions: limits }
      : {
          createServer: createHttpsServer,
          serverOptions: {
            ...{ ...limits, handshakeTimeout: clientMs },
            ...{ key: tls.key, cert: tls.certificate },
          },
        }),
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new StartError({
          code: "http.cannotListen",
          message: `${names}: cannot listen on ${host}:${port}: ${cause.code}`,
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        // Connections whose last answer is on its way do not wait for another request.
        server.keepAliveTimeout = 1;
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    cut: () => server.closeAllConnections(),
  };
}
