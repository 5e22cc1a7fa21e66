import { INFERENCE_RESULT_TYPES } from "@haca/protocol/inferenceResult";
import { modeOf } from "@haca/protocol/inputMode";
import type { TypedDataDomain } from "ethers";
import { type Job, type NewJob, resultOf } from "../jobs/job.ts";
import type { OpenAttempt } from "../jobs/openTransactions.ts";
import type { ServedModel } from "../models/servedModel.ts";
import { feesOf } from "../transactions/fees.ts";

/**
 * What the client keeps: the typed message with the node's signature over it, in the form that EIP-712
 * libraries take. Integers of the message are decimal strings.
 */
export function receiptView(parameters: { job: NewJob; domain: TypedDataDomain }): object {
  const { job, domain } = parameters;
  const { price, timestamp, ...rest } = resultOf(job);
  return {
    domain: { ...domain, chainId: Number(domain.chainId) },
    types: INFERENCE_RESULT_TYPES,
    primaryType: "InferenceResult",
    message: { ...rest, price: price.toString(), timestamp: timestamp.toString() },
    signature: job.signature,
    inputWords: job.inputWords.map(String),
    outputWords: job.outputWords.map(String),
  };
}

/** `GET /v1/inferences/:requestId` */
export function jobView(parameters: { job: Job; domain: TypedDataDomain }): object {
  const { job, domain } = parameters;
  const { failure, proof, state, timings, times, transaction } = job;
  return {
    requestId: job.requestId,
    model: job.model,
    version: job.version,
    state,
    isOptimistic: job.isOptimistic === true,
    failure: failure === null ? null : `${failure.code}: ${failure.message}`,
    failureCode: failure?.code ?? null,
    lastError: job.lastError,
    timings,
    times: Object.fromEntries(
      Object.entries(times).map(([name, time]) => [name, time?.toISOString() ?? null]),
    ),
    transaction:
      transaction === null
        ? null
        : {
            hash: transaction.hash,
            block: transaction.blockNumber,
            gas: transaction.gasUsed === null ? null : Number(transaction.gasUsed),
          },
    proof,
    receipt: receiptView({ job, domain }),
  };
}

/** A transaction that is not mined, in `GET /health`; fees in wei per gas. */
export type AttemptView = {
  nonce: number;
  hash: string;
  purpose: string;
  /** kind of settlement; null for another purpose */
  kind: string | null;
  /** how many jobs it carries */
  jobs: number;
  /** the job where it is one */
  requestId: string | null;
  ageSeconds: number;
  /** null where it was not sent yet */
  silentSeconds: number | null;
  replacements: number;
  maxFeePerGas: string;
  maxPriorityFeePerGas: string;
};

export function attemptView(attempt: OpenAttempt): AttemptView {
  const { raw, ...rest } = attempt;
  const { maxFeePerGas, maxPriorityFeePerGas } = feesOf(raw);
  return {
    ...rest,
    maxFeePerGas: maxFeePerGas.toString(),
    maxPriorityFeePerGas: maxPriorityFeePerGas.toString(),
  };
}

/** An entry of `GET /v1/models`. */
export function modelView(model: ServedModel): object {
  const { manifest, slug, status, version, versionId } = model;
  const tensor = ({ name, shape, layout, minimum, maximum }: typeof manifest.input) => ({
    name,
    shape,
    scaleExponent: layout.scaleExponent,
    minimum: minimum * 2 ** layout.scaleExponent,
    maximum: maximum * 2 ** layout.scaleExponent,
  });
  return {
    model: slug,
    version,
    versionId,
    status,
    inputMode: modeOf(manifest),
    input: tensor(manifest.input),
    outputs: manifest.outputs.map(tensor),
    labelOutput: manifest.labelOutput ?? null,
    hashes: manifest.hashes,
    statistics: manifest.statistics,
  };
}
