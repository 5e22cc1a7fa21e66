import type { Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { BaseError } from "@haca/protocol/baseError";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { createOperatorApp, createPublicApp } from "./createEnclaveApp.ts";
import { pemOf } from "./pemOf.ts";
import type { SimulatedEnclave } from "./simulatedEnclave.ts";

export type RunningEnclave = {
  /** for the operator alone: http, with what signs */
  operatorUrl: string;
  /** for everybody: https under the certificate that the enclave attests */
  publicUrl: string;
  /** Stops accepting, and returns when every request that was accepted has its answer. */
  close(): Promise<void>;
};

/**
 * Lets a simulated enclave listen on this machine, on two ports. FOR DEVELOPMENT AND TESTS ONLY.
 * @param parameters.port of the operator's side; 0 takes a free one
 * @param parameters.publicPort of the public side; 0 takes a free one
 * @param parameters.certifiesResultKeys whether its operator may have keys outside the enclave sign results; not if left out
 * @throws BaseError `enclave.cannotListen`
 */
export async function startSimulatedEnclave(parameters: {
  enclave: SimulatedEnclave;
  port: number;
  publicPort: number;
  certifiesResultKeys?: boolean;
  /** unix seconds; this machine's clock if left out */
  clock?: () => bigint;
}): Promise<RunningEnclave> {
  const { enclave, port, publicPort, certifiesResultKeys = false } = parameters;
  const clock = parameters.clock ?? (() => BigInt(Math.floor(Date.now() / 1000)));
  const operator = serverOf(createOperatorApp({ enclave, clock, certifiesResultKeys }));
  const open = createAdaptorServer({
    fetch: createPublicApp({ enclave, clock }).fetch,
    createServer,
    serverOptions: { key: enclave.tlsKey, cert: pemOf(enclave.tlsCertificate) },
  }) as Server;
  const bound = await listen(operator, port);
  try {
    const publicBound = await listen(open, publicPort);
    return {
      operatorUrl: `http://${HOST}:${bound}`,
      publicUrl: `https://${HOST}:${publicBound}`,
      async close() {
        await Promise.all([close(operator), close(open)]);
      },
    };
  } catch (error) {
    await close(operator);
    throw error;
  }
}

const HOST = "127.0.0.1";

const serverOf = (app: Hono): Server => createAdaptorServer({ fetch: app.fetch }) as Server;

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new BaseError({
          code: "enclave.cannotListen",
          message: `cannot listen on ${HOST}:${port}: ${cause.message}`,
          cause,
        }),
      ),
    );
    server.listen(port, HOST, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
