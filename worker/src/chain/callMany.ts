import type { JsonRpcProvider } from "ethers";
import { isAnswered } from "../endpointWords.ts";
import { type Revert, revertOf, rpcFailure } from "./rpcErrors.ts";

/** Calls that share a request to the endpoint. */
const BATCH = 64;

export type ViewCall = { to: string; data: string };

/** The block that is being made, the latest that is there, or the one of this number. */
type Block = "pending" | "latest" | `0x${string}`;

/**
 * Makes calls, against the block that is being made where none is named, many in one request to the endpoint. Returns for each what it
 * answered, or why it reverted. @throws RetryableError where the endpoint answers neither
 */
export async function callMany(parameters: {
  provider: JsonRpcProvider;
  calls: readonly ViewCall[];
  block?: Block;
}): Promise<(string | Revert)[]> {
  const { block = "pending", calls, provider } = parameters;
  const answers: (string | Revert)[] = [];
  for (let from = 0; from < calls.length; from += BATCH) {
    answers.push(...(await callBatch(provider, calls.slice(from, from + BATCH), block)));
  }
  return answers;
}

async function callBatch(
  provider: JsonRpcProvider,
  calls: readonly ViewCall[],
  block: Block,
): Promise<(string | Revert)[]> {
  const [first] = calls;
  if (first === undefined) return [];
  if (calls.length === 1) return [await callOne(provider, first, block)];
  const payloads = calls.map((call, id) => ({
    ...{ jsonrpc: "2.0" as const, id, method: "eth_call" },
    params: [call, block],
  }));
  const answers = await provider._send(payloads).catch((error: unknown) => {
    throw rpcFailure(error);
  });
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  const found: (string | Revert)[] = [];
  for (const payload of payloads) {
    const call = calls[payload.id] ?? first;
    const answer = byId.get(payload.id);
    if (answer !== undefined && "result" in answer) {
      found.push(answer.result as string);
      continue;
    }
    const revert =
      answer === undefined ? undefined : revertOf(provider.getRpcError(payload, answer));
    // An endpoint may take no batches, or refuse one for its size: it is asked for each then.
    found.push(revert ?? (await callOne(provider, call, block)));
  }
  return found;
}

async function callOne(
  provider: JsonRpcProvider,
  call: ViewCall,
  block: Block,
): Promise<string | Revert> {
  try {
    return (await provider.send("eth_call", [call, block])) as string;
  } catch (error) {
    const revert = revertOf(error);
    if (revert !== undefined) return revert;
    // Not every endpoint has a block that is being made.
    if (block === "pending" && isAnswered(error)) return await callOne(provider, call, "latest");
    throw rpcFailure(error);
  }
}
