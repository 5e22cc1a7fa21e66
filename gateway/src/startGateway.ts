import type { Logger } from "pino";
import { AnswerStore } from "./answers/answerStore.ts";
import { EnclaveDocuments } from "./attestation/enclaveDocuments.ts";
import { createMetrics } from "./metrics.ts";
import { RequestIds } from "./profile/requestIds.ts";
import { ResultQueue } from "./queue/resultQueue.ts";
import { Admission } from "./server/admission.ts";
import { stopping } from "./server/answerRequest.ts";
import { createGatewayApp } from "./server/createGatewayApp.ts";
import { startServer } from "./server/startServer.ts";
import type { GatewayConfig } from "./settings/readGatewayConfig.ts";
import { openUpstream } from "./upstream/openUpstream.ts";

export type RunningGateway = {
  url: string;
  /**
   * Takes no new requests, and returns when those that were taken have their answers and their results are on the worker's
   * disk. What takes longer than the settings allow is told so and given up.
   */
  stop(): Promise<void>;
};

/**
 * Starts answering, once the results that an earlier process may not have handed in are with the worker.
 * @throws StartError
 */
export async function startGateway(parameters: {
  config: GatewayConfig;
  logger: Logger;
}): Promise<RunningGateway> {
  const { config, logger } = parameters;
  const { enclave, limits, signer } = config;
  const { teeId } = signer;
  const ending = new AbortController();
  const upstream = await openUpstream(config.upstream);
  const queue = new ResultQueue(config.queue);
  const answers = await AnswerStore.open({ ...config.answers, queue, logger });
  const admission = new Admission(config.admission);
  let isStopping = false;
  const app = createGatewayApp({
    parts: {
      documents:
        enclave === undefined
          ? undefined
          : new EnclaveDocuments({ url: enclave, publicKey: signer.publicKey }),
      upstream,
      signing: {
        ...{ signer, domain: config.domain, ids: new RequestIds(teeId) },
        clock: () => BigInt(Math.floor(Date.now() / 1000)),
      },
      ...{ models: config.models, admission, answers },
      ...{ metrics: createMetrics(), logger, limits, ending: ending.signal },
    },
    isStopping: () => isStopping,
  });
  const server = await startServer({ app, ...config.http, clientMs: limits.clientMs });
  logger.info({ url: server.url, teeId, session: signer.session }, "listening");
  return {
    url: server.url,
    async stop() {
      isStopping = true;
      const giveUp = setTimeout(() => ending.abort(stopping()), config.stopMs);
      const closed = server.close();
      await admission.idle();
      clearTimeout(giveUp);
      // What a client does not take now it does not take at all.
      const cut = setTimeout(() => server.cut(), limits.clientMs);
      await closed;
      clearTimeout(cut);
    },
  };
}
