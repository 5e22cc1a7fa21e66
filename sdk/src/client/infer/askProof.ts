import { BaseError } from "@haca/protocol/baseError";
import { pause } from "../../pause.ts";
import { fieldsOf, lowerCase } from "../../receipt/answerReaders.ts";
import type { ReceiptCore } from "../../receipt/receipt.ts";
import { oneLine } from "../../strangersWords.ts";
import { askNodeJson } from "../askNode.ts";
import type { Client } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import type { InferRequest } from "./inferOptions.ts";

/** Nobody will make this proof, or not in time. */
const noProof = (message: string): BaseError => new BaseError({ code: "answer.noProof", message });

/**
 * Asks a node for the proof of what it answered until it has it. Says nothing of whether it holds.
 * @throws BaseError `answer.noProof`, where the node gave up or the time is over; `node.*`; the reason of `signal`
 */
export async function askProof(parameters: {
  client: Client;
  node: URL;
  core: ReceiptCore;
  request: Pick<InferRequest, "pollMs" | "proofMs" | "onProgress" | "signal">;
}): Promise<string> {
  const { client, node, core, request } = parameters;
  const { onProgress, pollMs, proofMs, signal } = request;
  const until = Date.now() + proofMs;
  for (;;) {
    const found = await lookForProof({ client, node, requestId: core.message.requestId, signal });
    if (found.proof !== null) return found.proof;
    if (found.state === "failed") {
      throw noProof(`${node.host} gave up the proof: ${found.failure ?? "without a word"}`);
    }
    if (Date.now() + pollMs > until) {
      throw noProof(`${node.host} had no proof in ${proofMs} ms`);
    }
    onProgress?.(`waiting for the proof of ${node.host}: the request is ${found.state}`);
    await pause(pollMs, signal);
  }
}

/** What a node says of a request: its state, and its proof where it has one. */
export async function lookForProof(parameters: {
  client: Pick<Client, "limits">;
  node: URL;
  requestId: string;
  signal: AbortSignal | undefined;
}): Promise<{ proof: string | null; state: string; failure: string | null }> {
  const { client, node, requestId, signal } = parameters;
  const inference = await askNodeJson({
    ...{ node, path: `/v1/inferences/${requestId}`, signal },
    limits: { bytes: client.limits.answerBytes, ms: client.limits.askMs },
  });
  try {
    const { failure, proof, state } = fieldsOf(inference, "inference");
    return {
      proof: (proof ?? null) === null ? null : lowerCase(proof, "inference.proof"),
      state: oneLine(lowerCase(state, "inference.state")),
      failure: typeof failure === "string" ? oneLine(failure) : null,
    };
  } catch (cause) {
    const words = cause instanceof BaseError ? cause.message : "no inference";
    throw nodeError("malformed", `${node.host} does not say how an inference stands: ${words}`, {
      cause,
    });
  }
}
