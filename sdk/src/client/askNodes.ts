import { BaseError } from "@haca/protocol/baseError";
import type { Client } from "./client.ts";
import { readNodeAddress } from "./nodeAddress.ts";
import { optionError } from "./optionError.ts";

/** Of a node that has too much to do, or that cannot reach who it asks. */
const BUSY: readonly unknown[] = [429, 502, 503, 504];

/**
 * Asks nodes, in an order of chance, until one answers: another one is asked only where one was not reached or has too much to
 * do. What a node does answer, and be it a lie, is the end. Not for what was paid: then there is one node.
 * @param parameters.nodes addresses; the client's if left out
 * @throws BaseError `option.wrong` without nodes, or what the last one that was asked threw
 */
export async function askNodes<Answer>(parameters: {
  client: Client;
  nodes: readonly string[] | undefined;
  signal: AbortSignal | undefined;
  ask: (node: URL) => Promise<Answer>;
}): Promise<Answer> {
  const { ask, client, signal } = parameters;
  const nodes = parameters.nodes?.map(readNodeAddress) ?? client.nodes;
  let failure: unknown = optionError("nodes", "no node was given");
  for (const node of shuffled(nodes).slice(0, client.limits.nodes)) {
    signal?.throwIfAborted();
    try {
      return await ask(node);
    } catch (error) {
      if (!isPassing(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  if (error.code === "node.unreachable") return true;
  return error.code === "node.refused" && BUSY.includes(error.details.status);
}

function shuffled<T>(list: readonly T[]): T[] {
  const left = [...list];
  const drawn: T[] = [];
  while (left.length > 0) {
    const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
    drawn.push(...left.splice(number % left.length, 1));
  }
  return drawn;
}
