import { Hono, type MiddlewareHandler } from "hono";
import { z } from "zod";
import { type Finality, finalityLabel } from "../finalityLabel.ts";
import { refusal } from "./parameters.ts";
import { readFinality } from "./readFinality.ts";

/** Header of every answer that has rows in it. */
const HEADER = "haca-finality";

const querySchema = z.strictObject({
  /** `rowBlock` of a row */
  block: z
    .string()
    .regex(/^(0|[1-9]\d{0,77})$/, "must be a block's number")
    .transform(BigInt)
    .optional(),
});

/** `GET /finality`: the chain's safe and finalized block, and the label of a row that block `?block=` wrote. */
export const finalityRoute = new Hono().get("/finality", async (context) => {
  const query = querySchema.safeParse(context.req.query());
  if (!query.success) return context.json(refusal(query.error), 400);
  const finality = await readFinality();
  const { block } = query.data;
  const label =
    block === undefined ? {} : { block: String(block), label: finalityLabel({ block, finality }) };
  return context.json({ ...inJson(finality), ...label });
});

/**
 * Says with every answer that has rows in it how far the chain has come in making blocks final: in a header, and in the
 * `extensions` of GraphQL. A row's `rowBlock` compared with that is its label.
 */
export const withFinality: MiddlewareHandler = async (context, next) => {
  // Before the rows are read, so that nothing is called final by what was learnt after them.
  const finality = inJson(await readFinality());
  await next();
  const { res } = context;
  const headers = new Headers(res.headers);
  headers.set(HEADER, JSON.stringify(finality));
  headers.set("access-control-expose-headers", HEADER);
  let { body }: { body: ConstructorParameters<typeof Response>[0] } = res;
  if (context.req.path === "/graphql" && isJson(res)) {
    const answer = (await res.json()) as { extensions?: object };
    headers.delete("content-length");
    body = JSON.stringify({ ...answer, extensions: { ...answer.extensions, finality } });
  }
  // Hono would add the headers of the answer that this one takes the place of.
  context.res = undefined;
  context.res = new Response(body, { status: res.status, headers });
};

const isJson = ({ headers }: Response) => headers.get("content-type")?.includes("json") === true;

const inJson = ({ safe, finalized, reason }: Finality) => ({
  safe: safe === null ? null : String(safe),
  finalized: finalized === null ? null : String(finalized),
  reason,
});
