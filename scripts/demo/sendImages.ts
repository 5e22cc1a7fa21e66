import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import type { TestImage } from "./testImages.ts";

const answerSchema = z.object({
  requestId: z.string(),
  label: z.int(),
  scores: z.array(z.number()),
  receipt: z.object({ signature: z.string() }),
});

/** One image that the inference node answered. */
export type Answered = TestImage & { requestId: string; answer: number; latencyMs: number };

/** Sends the images one after another, as a client would, and prints each answer as it comes. */
export async function sendImages(parameters: {
  workerUrl: string;
  model: string;
  images: readonly TestImage[];
}): Promise<Answered[]> {
  const { workerUrl, model, images } = parameters;
  const answered: Answered[] = [];
  for (const image of images) {
    const started = performance.now();
    const response = await fetch(`${workerUrl}/v1/inferences`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, input: image.values }),
    });
    const latencyMs = performance.now() - started;
    const body: unknown = await response.json();
    if (!response.ok) {
      throw new BaseError({
        code: "demo.refused",
        message: `the inference node refused image ${image.index}: ${JSON.stringify(body)}`,
      });
    }
    const { requestId, label, scores, receipt } = answerSchema.parse(body);
    answered.push({ ...image, requestId, answer: label, latencyMs });
    console.log(
      `      image ${String(image.index).padStart(3)} → ${label}  ` +
        `score ${Math.max(...scores).toFixed(2)}  in ${latencyMs.toFixed(1)} ms  ` +
        `receipt ${receipt.signature.slice(0, 12)}…`,
    );
  }
  return answered;
}
