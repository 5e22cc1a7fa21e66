import { BaseError } from "@haca/protocol/baseError";
import type { Client } from "./client.ts";
import { chooseNodes, type Wanted } from "./nodes/chooseNodes.ts";
import { optionError } from "./optionError.ts";

/** Of a node that has too much to do, or that cannot reach who it asks. */
const BUSY: readonly unknown[] = [429, 502, 503, 504];
/** Of a node that heard nothing of the question. */
const UNHEARD: readonly string[] = [
  ...["node.unreachable", "node.privateAddress"],
  // Its channel does not end in its enclave.
  ...["node.otherCertificate", "node.noCertificate", "node.notActive"],
  // Nothing can be sealed to it.
  ...["node.noSealingKey", "node.badSealingKey"],
];

/**
 * Asks nodes, in an order of chance, until one answers: another one is asked only where one was not reached or has too much to
 * do. What a node does answer, and be it a lie, is the end. Not for what was paid: then there is one node.
 * @throws BaseError `option.wrong` without nodes, as `chooseNodes`, or what the last one that was asked threw
 */
export async function askNodes<Answer>(
  parameters: Wanted & {
    client: Client;
    signal: AbortSignal | undefined;
    /** @param teeId of a node that the registry has named */
    ask: (node: URL, teeId: string | undefined) => Promise<Answer>;
  },
): Promise<Answer> {
  const { ask, client, signal } = parameters;
  let failure: unknown = optionError("nodes", "no node was given");
  for (const { url: node, teeId } of await chooseNodes(client, parameters)) {
    signal?.throwIfAborted();
    try {
      return await ask(node, teeId);
    } catch (error) {
      const isOver = !isPassing(error);
      if (!isOver || isMisbehaviour(error)) client.memory.demote(node);
      if (isOver) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** What a refusal is not: it may be right. */
export const isMisbehaviour = (error: unknown): boolean =>
  error instanceof BaseError && error.code.startsWith("node.") && error.code !== "node.refused";

function isPassing(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  if (UNHEARD.includes(error.code)) return true;
  return error.code === "node.refused" && BUSY.includes(error.details.status);
}
