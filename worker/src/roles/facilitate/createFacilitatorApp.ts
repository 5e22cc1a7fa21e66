import { getAddress } from "ethers";
import type { Context, Hono } from "hono";
import type { Logger } from "pino";
import { describeError, RetryableError } from "../../errors.ts";
import { createBaseApp } from "../../http/createBaseApp.ts";
import type { Metrics } from "../../metrics/createMetrics.ts";
import type { Condition } from "../../repeat.ts";
import type { Database } from "../../storage/database.ts";
import { DatabaseAwayError } from "../../storage/databaseFailure.ts";
import { BadSubmissionError, UnavailableError } from "./facilitatorErrors.ts";
import type { Payments } from "./payments/createPayments.ts";
import { countPayments } from "./payments/paymentQueue.ts";
import { type RegistryContext, verifySubmission } from "./registryChecks.ts";
import { countOpenCalls } from "./relayedCalls.ts";
import type { RelayedHeartbeat } from "./relayHeartbeat.ts";
import { jobIdOf, parseSettlementData, parseSettlementType } from "./submission.ts";
import { acceptSubmission, findSubmission, readUsage } from "./submissions.ts";

/** When a client may ask again, while database or endpoint are away. */
const RETRY_AFTER_SECONDS = 5;
const MAXIMUM_DAYS = 90;
const NO_CHANNELS = "no deposits into payment channels are brought here";

export type FacilitatorAppContext = {
  database: Database;
  registry: RegistryContext;
  relayHeartbeat: (body: unknown) => Promise<RelayedHeartbeat>;
  payments: Payments;
  metrics: Metrics;
  logger: Logger;
  /** of a body, in bytes */
  bodyLimit: number;
  /** what each loop of this process is doing */
  conditions: ReadonlyMap<string, Condition>;
  /** there is something new to settle */
  onAccepted: () => void;
};

/**
 * The facilitator's HTTP interface, as clients of the public network know it: errors are `{ "error": text }`. Nobody says
 * who they are; a submission is judged by its signature alone, a payment by whom it is for besides. A payment is answered with
 * 200 when it is settled, and with 202 and its job where that takes too long, or the client prefers not to wait (RFC 7240).
 */
export function createFacilitatorApp(context: FacilitatorAppContext): Hono {
  const { conditions, database, logger, metrics, payments } = context;
  const app = createBaseApp({ metrics, logger, maximumBody: context.bodyLimit });
  app.get("/supported", async (c) => c.json(await payments.readSupported()));
  app.post("/verify", async (c) => c.json(await payments.verify(await readBody(c))));
  app.post("/settle", async (c) => {
    const isAsync = /(^|[,;\s])respond-async($|[,;\s])/i.test(c.req.header("prefer") ?? "");
    const { signal } = c.req.raw;
    const { body, status } = await payments.settle({ body: await readBody(c), isAsync, signal });
    return c.json(body, status);
  });
  app.get("/health", async (c) => {
    const whereThere = (error: unknown): null => {
      if (error instanceof DatabaseAwayError) return null;
      throw error;
    };
    const calls = await countOpenCalls({ database }).catch(whereThere);
    const counts = await countPayments({ database }).catch(whereThere);
    const isWorking = [...conditions.values()].every(({ state }) => state === "working");
    const status = isWorking && calls !== null ? "ok" : "degraded";
    const roles = Object.fromEntries(conditions);
    const { extensions, kinds: supportedKinds, signers } = payments.supported;
    const state = { status, supportedKinds, extensions, signers };
    return c.json({ ...state, roles, calls, payments: counts?.states ?? null });
  });
  app.get("/usage", async (c) => {
    const text = c.req.query("days") ?? "30";
    const days = Number(text);
    if (!/^\d{1,2}$/.test(text) || days < 1 || days > MAXIMUM_DAYS) {
      throw new BadSubmissionError("days", `must be an integer from 1 to ${MAXIMUM_DAYS}`);
    }
    return c.json({ days, usage: await readUsage({ database, days }) });
  });
  app.post("/settle_data", async (c) => await acceptData({ context, c }));
  app.get("/settle/:jobId", async (c) => {
    const jobId = c.req.param("jobId");
    // Nothing else is a name that was given out, and a database refuses some of it.
    const job = !/^[a-z-]+-[0-9a-f]{64}$/.test(jobId)
      ? undefined
      : ((await findSubmission({ database, jobId })) ?? (await payments.findJob(jobId)));
    return job === undefined ? c.json({ error: "no such job" }, 404) : c.json(job);
  });
  app.get("/channels/:channelId", async (c) => {
    const channelId = c.req.param("channelId");
    if (!/^0x[0-9a-fA-F]{64}$/.test(channelId)) {
      throw new BadSubmissionError("channelId", "must be 0x and 64 hex digits");
    }
    const channel = await payments.readChannel(channelId);
    return channel === undefined ? c.json({ error: NO_CHANNELS }, 404) : c.json(channel);
  });
  app.get("/gates/:gate", async (c) => {
    const address = readAddress("gate", c.req.param("gate"));
    const gate = await payments.readGate(address);
    return gate === undefined ? c.json({ error: "no gate is at this address" }, 404) : c.json(gate);
  });
  app.get("/operators/:operator", async (c) => {
    const address = readAddress("operator", c.req.param("operator"));
    const operator = await payments.readOperator(address);
    return operator === undefined
      ? c.json({ error: "no operator is at this address" }, 404)
      : c.json(operator);
  });
  app.post("/heartbeat", async (c) => c.json(await context.relayHeartbeat(await readBody(c))));
  app.onError((error, c) => {
    if (error instanceof BadSubmissionError) return c.json({ error: error.message }, 400);
    if (error instanceof UnavailableError) return c.json({ error: error.message }, 500);
    if (error instanceof RetryableError) {
      logger.warn({ path: c.req.path, error: describeError(error) }, "refused for now");
      c.header("retry-after", String(RETRY_AFTER_SECONDS));
      return c.json({ error: "this cannot be verified or stored at the moment: try again" }, 503);
    }
    logger.error({ path: c.req.path, err: error }, "request failed");
    return c.json({ error: "internal error; nothing was lost, try again" }, 500);
  });
  return app;
}

/** An address of a path, in whatever letters. @throws BadSubmissionError */
function readAddress(name: string, text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new BadSubmissionError(name, "must be an address");
  return getAddress(text.toLowerCase());
}

async function readBody(c: Context): Promise<unknown> {
  const body: unknown = await c.req.json().catch(() => undefined);
  if (body === undefined) throw new BadSubmissionError("body", "must be JSON");
  return body;
}

async function acceptData(parameters: {
  context: FacilitatorAppContext;
  c: Context;
}): Promise<Response> {
  const { c, context } = parameters;
  const { database, onAccepted } = context;
  const kind = parseSettlementType(c.req.header("x-settlement-type"));
  if (kind === "private") {
    return c.json({ settlementJob: null, notes: "private: nothing is settled or stored" }, 202);
  }
  const submission = parseSettlementData({ kind, header: c.req.header("x-settlement-data") });
  // What is here already was verified, and costs the endpoint nothing any more.
  const known = await findSubmission({ database, jobId: jobIdOf(submission) });
  if (known !== undefined) return c.json({ settlementJob: known }, 202);
  await verifySubmission({ context: context.registry, submission });
  const settlementJob = await acceptSubmission({ database, submission });
  onAccepted();
  return c.json({ settlementJob }, 202);
}
