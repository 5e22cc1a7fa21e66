import { circuitInput } from "@haca/model-runtime/circuitInput";
import { contextOf } from "@haca/protocol/inferenceResult";
import { unpackWords } from "@haca/protocol/packedWords";
import type { TypedDataDomain } from "ethers";
import { NonRetryableError, RetryableError } from "../../errors.ts";
import { type HiddenInput, type NewJob, resultOf } from "../../jobs/job.ts";
import type { ServedModel } from "../../models/servedModel.ts";
import type { Proof, Prover } from "../../prover/prover.ts";

/**
 * Proves a job and checks the proof before anybody relies on it: its public signals must be the job's own,
 * and it must verify under the model's key. Whatever a prover returns, nothing else becomes `proven`.
 */
export async function proveJob(parameters: {
  job: NewJob;
  /** what the job's one input word is a commitment to, where the model commits to its input */
  hidden?: HiddenInput | undefined;
  model: ServedModel;
  prover: Prover;
  domain: TypedDataDomain;
  /** ends the proof, in its midst too */
  signal?: AbortSignal;
}): Promise<Proof> {
  const { job, hidden, model, prover, domain, signal } = parameters;
  const { manifest } = model;
  const context = contextOf({ domain, result: resultOf(job) });
  const { words, salt } = hidden ?? { words: job.inputWords };
  const [input = []] = unpackWords({ layouts: [manifest.input.layout], words });
  const outputs = unpackWords({
    layouts: manifest.outputs.map(({ layout }) => layout),
    words: job.outputWords,
  });
  const modelId = manifest.hashes.zkey;
  const { signals } = circuitInput({ manifest, input, outputs, context, salt });
  const result = await prover.prove({ modelId, signals, signal });

  const expected = [...job.inputWords, ...job.outputWords, context].map(String);
  const wrong = expected.findIndex((value, index) => result.publicSignals[index] !== value);
  if (wrong !== -1 || result.publicSignals.length !== expected.length) {
    throw new NonRetryableError({
      code: "prover.signalsDiffer",
      message: `the proof has other public signals than the request (number ${wrong === -1 ? expected.length : wrong})`,
    });
  }
  const { proof, publicSignals } = result;
  if (!(await prover.verify({ modelId, proof, publicSignals }))) {
    throw new RetryableError({
      code: "prover.proofInvalid",
      message: "the prover returned a proof that does not verify",
    });
  }
  return result;
}
