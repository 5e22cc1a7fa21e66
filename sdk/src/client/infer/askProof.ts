import { BaseError } from "@haca/protocol/baseError";
import { pause } from "../../pause.ts";
import type { ReceiptCore } from "../../receipt/receipt.ts";
import type { Client } from "../client.ts";
import { askStanding } from "./askStanding.ts";
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
    const found = await askStanding({ client, node, core, signal });
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
