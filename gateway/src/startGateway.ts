import type { Logger } from "pino";
import { AnswerStore } from "./answers/answerStore.ts";
import { EnclaveDocuments } from "./attestation/enclaveDocuments.ts";
import { ChannelPayments } from "./channels/channelPayments.ts";
import { LegacyFacilitator } from "./legacy/legacyFacilitator.ts";
import { createMetrics } from "./metrics.ts";
import type { SealedPayments } from "./ohttp/addOhttpRoutes.ts";
import { OhttpKeys } from "./ohttp/ohttpKeys.ts";
import { createOperatorApp } from "./operator/createOperatorApp.ts";
import { inEachToken } from "./payments/paymentSettings.ts";
import { Payments } from "./payments/payments.ts";
import { RequestIds } from "./profile/requestIds.ts";
import { ResultQueue } from "./queue/resultQueue.ts";
import { ResultReader } from "./queue/resultReader.ts";
import { Admission } from "./server/admission.ts";
import { stopping } from "./server/answerRequest.ts";
import { CHANNEL_BASE, createGatewayApp } from "./server/createGatewayApp.ts";
import { startServer } from "./server/startServer.ts";
import type { GatewayConfig } from "./settings/readGatewayConfig.ts";
import { shownBy } from "./settings/readTls.ts";
import { openUpstream } from "./upstream/openUpstream.ts";

export type RunningGateway = {
  url: string;
  /** of the operator's side, where the settings ask for one */
  operatorUrl: string | undefined;
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
  const { tls } = config.http;
  const ending = new AbortController();
  const metrics = createMetrics();
  const upstream = await openUpstream(config.upstream);
  const queue = new ResultQueue(config.queue);
  const answers = await AnswerStore.open({ ...config.answers, queue, logger });
  const payments =
    config.payments &&
    (await Payments.open({
      ...{ settings: config.payments, folder: config.answers.folder, queue: config.queue },
      ...{ answers, logger, onPaid: (paid) => metrics.payments.inc(paid) },
    }));
  for (const { token } of config.payments === undefined ? [] : inEachToken(config.payments)) {
    metrics.tokens.set({ token: token.symbol, address: token.address }, token.decimals);
  }
  const channel = config.payments?.channel;
  const channels =
    config.payments &&
    channel &&
    (await ChannelPayments.open({
      ...{ settings: config.payments, channel, folder: config.answers.folder },
      ...{ queue: config.queue, logger },
    }));
  if (payments === undefined) logger.warn("no prices are set: every answer is free");
  const admission = new Admission(config.admission);
  let isStopping = false;
  // Whoever has a session key alone is not in the enclave, or does not speak for it in this. With prices nothing sealed is free.
  const sealed = config.payments?.prices.oblivious;
  const ohttp =
    signer.session === null && (payments === undefined || sealed !== undefined)
      ? await OhttpKeys.make({ overlapMs: config.ohttpOverlapMs, clock: Date.now })
      : undefined;
  const app = createGatewayApp({
    parts: {
      documents:
        enclave === undefined
          ? undefined
          : new EnclaveDocuments({
              ...{ url: enclave, publicKey: signer.publicKey },
              certificate: tls && shownBy(tls),
            }),
      ...{ upstream, ohttp },
      facilitator: config.facilitator && new LegacyFacilitator(config.facilitator),
      signsBoth: payments !== undefined,
      signing: {
        ...{ signer, domain: config.domain, ids: new RequestIds(teeId) },
        clock: () => BigInt(Math.floor(Date.now() / 1000)),
      },
      ...{ models: config.models, admission, answers },
      results: new ResultReader({ ...config.queue, teeId }),
      ...{ metrics, logger, limits, ending: ending.signal },
    },
    isStopping: () => isStopping,
    origins: config.http.origins,
    ...(payments && { answer: (asked) => payments.answer(asked) }),
    ...(channels && { answerByChannel: (asked) => channels.answer(asked) }),
    sealedPayments: [
      ...payable("/v1", payments, { keepsMoney: true }),
      ...payable(CHANNEL_BASE, channels, { keepsMoney: false }),
    ],
    refunds: channels?.refunds,
  });
  const { clientMs } = limits;
  const names = "HACA_GATEWAY_HOST, HACA_GATEWAY_PORT";
  const server = await startServer({ app, ...config.http, clientMs, names });
  const operator = config.operator && (await startOperator(config.operator).catch(giveUpServer));
  const operatorUrl = operator?.url;
  logger.info({ url: server.url, operatorUrl, teeId, session: signer.session }, "listening");

  function payable(
    base: string,
    payments: Payments | ChannelPayments | undefined,
    { keepsMoney }: { keepsMoney: boolean },
  ): SealedPayments[] {
    if (payments === undefined) return [];
    return [{ base, keepsMoney, answer: (asked) => payments.answerPaid(asked) }];
  }

  async function startOperator(address: { host: string; port: number }) {
    const giveKey = (key: string) => upstream.giveKey(key);
    return await startServer({
      ...{ app: createOperatorApp({ signer, ohttp, giveKey, logger }), ...address, clientMs },
      names: "HACA_GATEWAY_OPERATOR_HOST, HACA_GATEWAY_OPERATOR_PORT",
    });
  }

  async function giveUpServer(error: unknown): Promise<never> {
    await server.close();
    throw error;
  }

  return {
    url: server.url,
    operatorUrl,
    async stop() {
      isStopping = true;
      const giveUp = setTimeout(() => ending.abort(stopping()), config.stopMs);
      const closed = Promise.all([server.close(), operator?.close()]);
      await admission.idle();
      clearTimeout(giveUp);
      // What a client does not take now it does not take at all.
      const cut = setTimeout(() => {
        server.cut();
        operator?.cut();
      }, limits.clientMs);
      await closed;
      clearTimeout(cut);
      await payments?.close();
      await channels?.close();
    },
  };
}
