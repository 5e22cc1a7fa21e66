import { MAXIMUM_PAGE_BYTES } from "@haca/protocol/blobs/pageBlob";
import type { Context, Hono } from "hono";
import type { TakenJob } from "../jobs/acceptResults.ts";
import { type CollectContext, collectResults } from "../roles/collect/collectResults.ts";
import type { Database } from "../storage/database.ts";
import { addPageRoute } from "./addPageRoute.ts";
import { parseResults } from "./parseResults.ts";
import { limitBody, refuseOtherMethods, requireJob, requireJson } from "./refusals.ts";
import { requireSecret } from "./requireSecret.ts";
import { jobView } from "./views.ts";

/** `/v1/results`, where enclaves' gateways hand in what the enclaves have signed. */
export function addResultRoutes(parameters: {
  app: Hono;
  database: Database;
  collect: CollectContext;
  /** what whoever hands in has to show, if anything */
  secret: string | undefined;
}): void {
  const { app, collect, database, secret } = parameters;
  const { domain } = collect.chain;
  const viewOf = (c: Context, job: TakenJob): object => ({
    requestId: job.requestId,
    state: job.state,
    statusUrl: new URL(`/v1/results/${job.requestId}`, c.req.url).href,
  });
  if (secret !== undefined) app.post("/v1/results", requireSecret(secret));
  // As many results as come together have room in it, whatever they are signed with.
  app.post("/v1/results", limitBody(MAXIMUM_PAGE_BYTES), async (c) => {
    requireJson(c);
    const { isList, results } = parseResults(await c.req.text());
    const jobs = await collectResults({ collect, results });
    const views = jobs.map((job) => viewOf(c, job));
    return c.json(isList ? { results: views } : (views[0] ?? {}), 202);
  });
  app.get("/v1/results/:requestId", async (c) => {
    const job = await requireJob({ database, text: c.req.param("requestId") });
    return c.json(jobView({ job, domain }));
  });
  addPageRoute({ app, path: "/v1/results", database, chain: collect.chain });
  refuseOtherMethods(app, "/v1/results", "POST");
  refuseOtherMethods(app, "/v1/results/:requestId", "GET");
}
