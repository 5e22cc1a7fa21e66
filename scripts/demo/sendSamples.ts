import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import type { TestSample } from "./testSamples.ts";

const answerSchema = z.object({
  requestId: z.string(),
  /** null where the model answers no class */
  label: z.int().nullable(),
  scores: z.array(z.number()).min(1),
  receipt: z.object({ signature: z.string() }),
});

/** One sample that the inference node answered: with a class, or else with the model's number. */
export type Answered = TestSample & { requestId: string; answer: number; latencyMs: number };

/** Sends the samples one after another, as a client would, and prints each answer as it comes. */
export async function sendSamples(parameters: {
  workerUrl: string;
  model: string;
  samples: readonly TestSample[];
}): Promise<Answered[]> {
  const { workerUrl, model, samples } = parameters;
  const answered: Answered[] = [];
  for (const sample of samples) {
    const started = performance.now();
    const response = await fetch(`${workerUrl}/v1/inferences`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, input: sample.values }),
    });
    const latencyMs = performance.now() - started;
    const body: unknown = await response.json();
    if (!response.ok) {
      throw new BaseError({
        code: "demo.refused",
        message: `the inference node refused sample ${sample.index}: ${JSON.stringify(body)}`,
      });
    }
    const { requestId, label, scores, receipt } = answerSchema.parse(body);
    answered.push({ ...sample, requestId, answer: label ?? (scores[0] as number), latencyMs });
    const said = label === null ? "" : `${label}  score `;
    console.log(
      `      sample ${String(sample.index).padStart(3)} → ${said}` +
        `${Math.max(...scores).toFixed(2)}  in ${latencyMs.toFixed(1)} ms  ` +
        `receipt ${receipt.signature.slice(0, 12)}…`,
    );
  }
  return answered;
}
