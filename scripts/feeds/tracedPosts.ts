/** What another contract called, as an endpoint tells that traces transactions. */
import { getAddress, type Interface } from "ethers";
import { z } from "zod";

/** A call within a transaction; of an answer of `callTracer` what is looked at. */
type Call = {
  type: string;
  to?: string | undefined;
  input: string;
  error?: string | undefined;
  calls?: Call[] | undefined;
};
const callSchema: z.ZodType<Call> = z.lazy(() =>
  z.object({
    type: z.string(),
    to: z.string().optional(),
    input: z.string(),
    error: z.string().optional(),
    calls: z.array(callSchema).optional(),
  }),
);

/** What sends a question to an endpoint; ethers' providers do. */
type Asking = { send(method: string, values: unknown[]): Promise<unknown> };

/** Calls that a transaction made and that stood; or, where the endpoint does not tell, its words. */
export async function tracedCalls(
  provider: Asking,
  transaction: string,
): Promise<Call | { untold: string }> {
  try {
    const options = { tracer: "callTracer" };
    const answer = await provider.send("debug_traceTransaction", [transaction, options]);
    return callSchema.parse(answer);
  } catch (error) {
    // Few public endpoints trace, and each says so in words of its own.
    if (error instanceof z.ZodError) return { untold: "its answer is no trace of calls" };
    return { untold: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Inputs of the calls of `post` for a feed that stood, the oldest first: each made one round. What a contract called and took back
 * made none, and neither did code of `feeds` that another contract ran as its own.
 */
export function postsIn(parameters: {
  call: Call;
  abi: Interface;
  feeds: string;
  feedId: string;
}): string[] {
  const { abi, call, feedId, feeds } = parameters;
  const { calls = [], error, input, to, type } = call;
  if (error !== undefined) return [];
  const isHere = type === "CALL" && to !== undefined && getAddress(to) === getAddress(feeds);
  const parsed = isHere ? abi.parseTransaction({ data: input }) : null;
  const own = parsed?.name === "post" && parsed.args.feedId === feedId ? [input] : [];
  return [...own, ...calls.flatMap((inner) => postsIn({ ...parameters, call: inner }))];
}
