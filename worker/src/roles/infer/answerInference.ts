import { showInput } from "@haca/model-runtime/circuitInput";
import { flattenInput } from "@haca/model-runtime/flattenInput";
import { dequantise, quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { BaseError } from "@haca/protocol/baseError";
import { hashResult } from "@haca/protocol/inferenceResult";
import { parseSalt } from "@haca/protocol/inputCommitment";
import { modeOf } from "@haca/protocol/inputMode";
import { packWords } from "@haca/protocol/packedWords";
import { encodeRequestId } from "@haca/protocol/requestId";
import type { Wallet } from "ethers";
import type { Chain } from "../../chain/chain.ts";
import { RefusedInferenceError } from "../../errors.ts";
import { acceptJob } from "../../jobs/acceptJob.ts";
import { type NewJob, resultOf } from "../../jobs/job.ts";
import { type ServedModel, selectModel } from "../../models/servedModel.ts";
import type { Database } from "../../storage/database.ts";

/** What the fast path works with. */
export type InferContext = {
  database: Database;
  chain: Pick<Chain, "domain" | "pageSettlement">;
  wallet: Wallet;
  models: readonly ServedModel[];
  price: bigint;
  /** names of models whose answers go into optimistic pages, and are proved on demand */
  optimisticModels: readonly string[];
  /** the chain's time, by which the contract judges a result's */
  clock: { seconds(): number };
  /** called when a job is on disk, before the client hears of it */
  onAccepted: () => void;
};

/** What a client asks for, in whatever way it reached the node. */
export type InferenceRequest = {
  model: string;
  /** `major.minor`; undefined: the newest that is served */
  version: string | undefined;
  /** numbers, or arrays of them, not yet looked at */
  input: readonly unknown[];
  /** 0x and 64 hex digits, for a model whose inputs are salted; not yet looked at */
  salt?: string | undefined;
  /** checksummed; the zero address where the client did not say */
  requester: string;
};

/** An accepted request and the model's answer. */
export type Answer = {
  job: NewJob;
  /** values of every output tensor by name */
  outputs: Record<string, number[]>;
  /** class index, for a classifier */
  label: number | null;
  /** values of the first output that is not the label */
  scores: number[] | null;
};

/**
 * Runs the integer model, which the circuit agrees with bit by bit, and queues the job; the proof comes later.
 * @throws RefusedInferenceError where the model or the input is refused; nothing is queued then
 */
export async function answerInference(parameters: {
  inference: InferContext;
  request: InferenceRequest;
}): Promise<Answer> {
  const { inference, request } = parameters;
  const { chain, database, price, wallet } = inference;
  const model = selectModel({
    models: inference.models,
    name: request.model,
    version: request.version,
  });
  const { integerModel, manifest } = model;
  const input = quantise({ model, request });
  const integers = runIntegerModel({ integerModel, input });
  const { hidden, inputWords } = show({ model, request, input });
  const outputWords = packWords({
    layouts: manifest.outputs.map(({ layout }) => layout),
    integers: integers.flat(),
  });

  const job = await acceptJob({
    database,
    async create(nonce) {
      const unsigned: NewJob = {
        requestId: encodeRequestId({ node: wallet.address, nonce }),
        nonce,
        model: model.slug,
        version: model.version,
        versionId: model.versionId,
        requester: request.requester,
        price,
        timestamp: BigInt(inference.clock.seconds()),
        inputWords,
        outputWords,
        signature: "",
        ...(hidden === undefined ? {} : { hidden }),
        isOptimistic: inference.optimisticModels.includes(model.slug),
      };
      const result = resultOf(unsigned);
      const signature = wallet.signingKey.sign(hashResult({ domain: chain.domain, result }));
      return { ...unsigned, signature: signature.serialized };
    },
  });
  inference.onAccepted();

  const outputs: Record<string, number[]> = {};
  for (const [index, { name, layout }] of manifest.outputs.entries()) {
    outputs[name] = dequantise({ layout, integers: integers[index] ?? [] });
  }
  const { labelOutput } = manifest;
  const scores = manifest.outputs.find(({ name }) => name !== labelOutput);
  return {
    job,
    outputs,
    label: labelOutput === undefined ? null : (outputs[labelOutput]?.[0] ?? null),
    scores: scores === undefined ? null : (outputs[scores.name] ?? null),
  };
}

/** The words that the result is signed for, and those under the commitment where the model commits to its input. */
function show(parameters: {
  model: ServedModel;
  request: InferenceRequest;
  input: readonly bigint[];
}): Pick<NewJob, "hidden" | "inputWords"> {
  const { input, model, request } = parameters;
  const { manifest } = model;
  try {
    const salt = request.salt === undefined ? undefined : parseSalt(request.salt);
    const { inputWords, shownWords } = showInput({ manifest, input, salt });
    if (modeOf(manifest) === "packed") return { inputWords };
    return { inputWords: shownWords, hidden: { words: inputWords, salt } };
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const { code, message } = cause;
    const field = code.startsWith("salt.") ? "salt" : "input";
    throw new RefusedInferenceError({ code, field, message, cause });
  }
}

function quantise(parameters: { model: ServedModel; request: InferenceRequest }): bigint[] {
  const { manifest } = parameters.model;
  const { input } = parameters.request;
  try {
    const values = flattenInput({ input, shape: manifest.input.shape });
    return quantiseInput({ manifest, values });
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const { code, details, message } = cause;
    if (typeof details.field === "string") {
      throw new RefusedInferenceError({ code, field: details.field, message, cause });
    }
    const index = details.index;
    const field = typeof index === "number" ? `input[${index}]` : "input";
    throw new RefusedInferenceError({ code, field, message: `${field}: ${message}`, cause });
  }
}
