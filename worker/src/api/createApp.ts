import { Hono } from "hono";
import type { Logger } from "pino";
import {
  describeError,
  RefusedInferenceError,
  RefusedResultError,
  RetryableError,
} from "../errors.ts";
import { countDemands } from "../jobs/demands.ts";
import { listOpenAttempts } from "../jobs/openTransactions.ts";
import { countJobs } from "../jobs/readJobs.ts";
import type { Metrics } from "../metrics/createMetrics.ts";
import type { Condition } from "../repeat.ts";
import type { CollectContext } from "../roles/collect/collectResults.ts";
import { answerInference, type InferContext } from "../roles/infer/answerInference.ts";
import type { Database } from "../storage/database.ts";
import { DatabaseAwayError } from "../storage/databaseFailure.ts";
import type { FundsView } from "../transactions/funds.ts";
import { addPageRoute } from "./addPageRoute.ts";
import { addPaymentRoutes } from "./addPaymentRoutes.ts";
import { addResultRoutes } from "./addResultRoutes.ts";
import { allowPages } from "./allowPages.ts";
import { parseInferenceRequest } from "./parseInferenceRequest.ts";
import { limitBody, refuse, refuseOtherMethods, requireJob, requireJson } from "./refusals.ts";
import { RequestError, requestErrorOf } from "./requestError.ts";
import { attemptView, jobView, modelView, receiptView } from "./views.ts";

/** When a client may ask again, while the database is away. */
const RETRY_AFTER_SECONDS = 5;

export type AppContext = {
  database: Database;
  metrics: Metrics;
  logger: Logger;
  bodyLimit: number;
  /** what each role of this process is doing */
  conditions: ReadonlyMap<string, Condition>;
  /** what the node's account holds; absent in a process that signs nothing */
  funds?: { view: FundsView } | undefined;
  /** absent where the process does not have the role `infer` */
  inference: InferContext | undefined;
  /** absent where the process does not have the role `collect` */
  collect?: CollectContext | undefined;
  /** what whoever hands in results has to show, if anything */
  collectSecret?: string | undefined;
  /** of pages that may ask; none if left out */
  origins?: readonly string[];
};

/**
 * The worker's HTTP interface: `/health` and `/metrics` in every role, `/v1/inferences` for the role `infer`, `/v1/results`,
 * `/v1/payments/cancelled` and `/v1/channels/refunds` for the role `collect`.
 */
export function createApp(context: AppContext): Hono {
  const { metrics, logger } = context;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    metrics.requests.inc({ status: String(c.res.status) });
  });
  allowPages(app, context.origins ?? []);
  addOperatorRoutes({ app, context });
  if (context.inference !== undefined) {
    addInferenceRoutes({ app, context, inference: context.inference });
  }
  if (context.collect !== undefined) {
    const { collect, collectSecret: secret, database } = context;
    addResultRoutes({ app, database, collect, secret });
    const { chain, onAccepted } = collect;
    addPaymentRoutes({ app, database, secret, onAccepted, chainId: chain.chainId });
  }
  app.notFound((c) =>
    refuse(c, {
      status: 404,
      code: "path.unknown",
      field: null,
      message: `there is nothing at ${c.req.path}`,
    }),
  );
  app.onError((error, c) => {
    if (error instanceof RequestError) return refuse(c, error);
    if (error instanceof RefusedInferenceError || error instanceof RefusedResultError) {
      return refuse(c, requestErrorOf(error));
    }
    if (error instanceof DatabaseAwayError) {
      logger.warn({ path: c.req.path, error: describeError(error) }, "refused: no database");
      c.header("retry-after", String(RETRY_AFTER_SECONDS));
      const message = "the node cannot store requests at the moment: try again";
      return c.json({ error: { code: "database.away", field: null, message } }, 503);
    }
    if (error instanceof RetryableError) {
      logger.warn({ path: c.req.path, error: describeError(error) }, "refused: no endpoint");
      c.header("retry-after", String(RETRY_AFTER_SECONDS));
      const message = "the node cannot ask the chain at the moment: try again";
      return c.json({ error: { code: "chain.away", field: null, message } }, 503);
    }
    logger.error({ path: c.req.path, err: error }, "request failed");
    const message = "the node could not answer; nothing was lost, try again";
    return c.json({ error: { code: "internal", field: null, message } }, 500);
  });
  return app;
}

function addOperatorRoutes(parameters: { app: Hono; context: AppContext }): void {
  const { app, context } = parameters;
  const { conditions, database, funds, metrics } = context;
  app.get("/health", async (c) => {
    const roles = Object.fromEntries(conditions);
    const isDegraded = [...conditions.values()].some(({ state }) => state !== "working");
    const jobs = await countJobs({ database }).catch((error: unknown) => {
      if (error instanceof DatabaseAwayError) return undefined;
      throw error;
    });
    const open = jobs === undefined ? [] : await listOpenAttempts({ database });
    const demands = jobs === undefined ? null : await countDemands({ database });
    const account = funds?.view ?? null;
    const isOk = !isDegraded && jobs !== undefined && account?.state !== "empty";
    return c.json({
      status: isOk ? "ok" : "degraded",
      database: jobs === undefined ? "away" : "ok",
      roles,
      account,
      jobs: jobs?.states ?? null,
      failures: jobs?.failures ?? null,
      transactions: open.map(attemptView),
      demands,
    });
  });
  app.get("/metrics", async (c) => {
    c.header("content-type", metrics.registry.contentType);
    return c.body(await metrics.registry.metrics());
  });
  refuseOtherMethods(app, "/health", "GET");
  refuseOtherMethods(app, "/metrics", "GET");
}

function addInferenceRoutes(parameters: {
  app: Hono;
  context: AppContext;
  inference: InferContext;
}): void {
  const { app, context, inference } = parameters;
  const { domain } = inference.chain;
  const limit = limitBody(context.bodyLimit);
  app.post("/v1/inferences", limit, async (c) => {
    requireJson(c);
    const request = parseInferenceRequest(await c.req.text());
    const { job, outputs, label, scores } = await answerInference({ inference, request });
    const { model, requestId, version } = job;
    const statusUrl = new URL(`/v1/inferences/${requestId}`, c.req.url).href;
    const receipt = receiptView({ job, domain });
    return c.json({ requestId, model, version, label, scores, outputs, receipt, statusUrl });
  });
  app.get("/v1/inferences/:requestId", async (c) => {
    const job = await requireJob({ database: context.database, text: c.req.param("requestId") });
    return c.json(jobView({ job, domain }));
  });
  addPageRoute({
    ...{ app, path: "/v1/inferences", database: context.database, chain: inference.chain },
  });
  app.get("/v1/models", (c) => c.json({ models: inference.models.map(modelView) }));
  refuseOtherMethods(app, "/v1/inferences", "POST");
  refuseOtherMethods(app, "/v1/inferences/:requestId", "GET");
  refuseOtherMethods(app, "/v1/models", "GET");
}
