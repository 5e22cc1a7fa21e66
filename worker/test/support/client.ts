import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { digit } from "./digits.ts";
import { waitFor } from "./processes.ts";

export type JobView = {
  requestId: string;
  state: string;
  failure: string | null;
  failureCode: string | null;
  lastError: string | null;
  proof: string | null;
  times: { finalised: string | null };
  timings: { witnessMs: number; proveMs: number } | null;
  transaction: { hash: string; block: number | null; gas: number | null } | null;
};

export type Answer = {
  requestId: string;
  model: string;
  version: string;
  label: number;
  scores: number[];
  outputs: Record<string, number[]>;
  receipt: {
    domain: Record<string, unknown>;
    types: Record<string, { name: string; type: string }[]>;
    /** integers as decimal strings */
    message: { [Field in keyof InferenceResult]: string };
    signature: string;
    inputWords: string[];
    outputWords: string[];
  };
  statusUrl: string;
};

/** Asks for one inference of a test image. */
export async function infer(url: string, image = 0): Promise<Answer> {
  const response = await fetch(`${url}/v1/inferences`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "digits", input: digit(image) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}

/** Where a job is shown: by the role that took it in. */
type Shown = "inferences" | "results";

export async function readJob(
  url: string,
  requestId: string,
  kind: Shown = "inferences",
): Promise<JobView> {
  const response = await fetch(`${url}/v1/${kind}/${requestId}`);
  return (await response.json()) as JobView;
}

/** Waits until a job is in a state; a job that ends in another one fails the wait. */
export async function jobIn(
  url: string,
  requestId: string,
  state: string,
  kind: Shown = "inferences",
): Promise<JobView> {
  return await waitFor(async () => {
    const job = await readJob(url, requestId, kind);
    if (job.state === state) return job;
    if (job.state === "failed") throw new Error(`${requestId} failed: ${job.failure}`);
    return undefined;
  });
}
