import type { TypedDataDomain } from "ethers";
import type { Hono } from "hono";
import { readPage } from "../jobs/pages.ts";
import { leafOf, makePage } from "../roles/settle/pages/makePage.ts";
import type { Database } from "../storage/database.ts";
import { refuseOtherMethods, requireJob } from "./refusals.ts";
import { RequestError } from "./requestError.ts";

/** States of a job whose page counts, or may come to count: after a rejection it is in none. */
const IN_PAGE: readonly string[] = ["pending", "settled"];

/** `<path>/:requestId/page`: the page that has a result, and the result's way to its root, as receipts have them. */
export function addPageRoute(parameters: {
  app: Hono;
  /** of the jobs whose pages these are */
  path: string;
  database: Database;
  chain: { domain: TypedDataDomain; pageSettlement?: string };
}): void {
  const { app, chain, database, path } = parameters;
  const { domain, pageSettlement } = chain;
  app.get(`${path}/:requestId/page`, async (c) => {
    const job = await requireJob({ database, text: c.req.param("requestId") });
    const { pageId, state } = job;
    const isIn = pageId !== null && IN_PAGE.includes(state);
    const found = isIn ? await readPage({ database, pageId }) : undefined;
    if (found === undefined || pageSettlement === undefined) {
      throw new RequestError({
        ...{ status: 404, code: "page.none", field: "requestId" },
        message: `requestId: the result is in no page; it is ${state}`,
      });
    }
    const { header } = found.page;
    const { siblings } = leafOf({ job, made: makePage({ jobs: found.jobs, domain }) });
    return c.json({
      ...{ pageSettlement, pageId, path: siblings },
      header: Object.fromEntries(
        Object.entries(header).map(([name, value]) => [name, String(value)]),
      ),
    });
  });
  refuseOtherMethods(app, `${path}/:requestId/page`, "GET");
}
