import { settlementDomain } from "@haca/protocol/inferenceResult";
import { getAddress } from "ethers";
import { describe, expect, it } from "vitest";
import { receiptView } from "../../worker/src/api/views.ts";
import type { NewJob } from "../../worker/src/jobs/job.ts";
import { isVerified } from "../src/isVerified.ts";
import { receiptOfInference } from "../src/receipt/receiptOfInference.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { OPTIONS, receiptOf, textOf } from "./support/vectors.ts";

const { core, evidence } = receiptOf("zkml");
const [proof] = evidence;
if (core.input?.type !== "words" || core.output?.type !== "words" || proof?.type !== "proof") {
  throw new Error("no receipt of words with a proof");
}
const { message } = core;
const job: NewJob = {
  ...{ requestId: message.requestId, versionId: message.modelVersion, nonce: 0n },
  ...{ model: "proved", version: "1.0", requester: getAddress(message.requester) },
  ...{ price: BigInt(message.price), timestamp: BigInt(message.timestamp) },
  inputWords: core.input.words.map(BigInt),
  outputWords: core.output.words.map(BigInt),
  signature: core.signature,
};
const domain = settlementDomain({
  ...{ chainId: BigInt(core.chainId), settlement: getAddress(core.settlement) },
});
/** The job as the worker's interface shows it: JSON. */
const inference = (proofOfJob: string | null): unknown =>
  JSON.parse(JSON.stringify({ proof: proofOfJob, receipt: receiptView({ job, domain }) }));

describe("an answer of a worker", () => {
  it("becomes a receipt, verified once it has its proof", async () => {
    const { verifyingKey } = proof;
    const proved = receiptOfInference({ inference: inference(proof.proof), verifyingKey });
    expect(serialiseReceipt(proved)).toBe(textOf("zkml"));
    expect(isVerified(await verify(proved, OPTIONS))).toBe(true);
    const early = receiptOfInference({ inference: inference(null), verifyingKey });
    expect(serialiseReceipt(early)).toBe(textOf("vanilla"));
    const without = receiptOfInference({ inference: inference(proof.proof) });
    expect(without.evidence).toEqual([]);
  });

  it.each<[unknown, string]>([
    [null, "inference: must be an object"],
    [{ receipt: {} }, "inference.receipt.domain: must be an object"],
    [
      { receipt: { domain: { chainId: "1" } } },
      "inference.receipt.domain.chainId: must be a whole number",
    ],
  ])("that is none is refused by name: %j", (value, reason) => {
    expect(() => receiptOfInference({ inference: value })).toThrow(reason);
  });
});
