import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { isoTime } from "../lib/words.ts";

const QUERY = `query Settled($requestIds: [String!]!, $limit: Int!) {
  settlements(where: { requestId_in: $requestIds }, limit: $limit) {
    items {
      requestId inputs outputs label state verification batched pageId verified transactionHash gasUsed blockNumber
    }
  }
}`;

const settlementSchema = z.object({
  requestId: z.string(),
  /** whole numbers in the model's units; null where the chain has only their hashes */
  inputs: z.array(z.array(z.string())).nullable(),
  outputs: z.array(z.array(z.string())).nullable(),
  label: z.int().nullable(),
  state: z.string(),
  verification: z.string(),
  batched: z.boolean(),
  /** the page that took it; null if it was settled alone or in a batch */
  pageId: z.string().nullable(),
  verified: z.boolean(),
  transactionHash: z.string(),
  gasUsed: z.string(),
  blockNumber: z.string(),
});

/** A settlement as the indexer tells it. */
export type IndexedSettlement = z.infer<typeof settlementSchema>;

const responseSchema = z.object({
  data: z.object({ settlements: z.object({ items: z.array(settlementSchema) }) }),
});

/** Reads settlements from the indexer's GraphQL by request id, in the order of the ids. */
export async function querySettlements(parameters: {
  indexerUrl: string;
  requestIds: readonly string[];
}): Promise<IndexedSettlement[]> {
  const { indexerUrl, requestIds } = parameters;
  const response = await fetch(`${indexerUrl}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: QUERY, variables: { requestIds, limit: requestIds.length } }),
  });
  const body: unknown = await response.json();
  const parsed = responseSchema.safeParse(body);
  if (!parsed.success) {
    throw new BaseError({
      code: "demo.indexerAnswer",
      message: `the indexer's answer is not understood: ${JSON.stringify(body).slice(0, 300)}`,
    });
  }
  const byId = new Map(
    parsed.data.data.settlements.items.map((settlement) => [settlement.requestId, settlement]),
  );
  return requestIds.flatMap((id) => byId.get(id) ?? []);
}

const stateSchema = z.object({ state: z.string(), until: z.string().nullable() });

/** What became of a request by now, in words: of what a page took, the page's state, which depends on the clock. */
export async function queryState(parameters: {
  indexerUrl: string;
  requestId: string;
}): Promise<string> {
  const { indexerUrl, requestId } = parameters;
  const response = await fetch(`${indexerUrl}/requests/${requestId}`);
  const { state, until } = stateSchema.parse(await response.json());
  return until === null ? state : `${state} until ${isoTime(BigInt(until))}`;
}
