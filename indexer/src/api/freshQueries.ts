import type { MiddlewareHandler } from "hono";

let count = 0;

/**
 * Has every SQL query answered from the database. Ponder 0.16 keeps an answer until a row of its tables is written, and
 * does not count what a reorganisation undoes: without this, undone rows could be read until the next write. What is
 * kept goes by the query's text, so each gets a number, which nothing reads.
 */
export const freshQueries: MiddlewareHandler = async (context, next) => {
  const query = context.req.query("sql");
  if (query !== undefined && context.req.path === "/sql/db") {
    const url = new URL(context.req.url);
    url.searchParams.set("sql", numbered(query));
    context.req.raw = new Request(url, context.req.raw);
  }
  await next();
};

/** `query` is a JSON object; what is none is left for Ponder to refuse. */
function numbered(query: string): string {
  try {
    count += 1;
    return JSON.stringify({ ...JSON.parse(query), number: count });
  } catch {
    return query;
  }
}
