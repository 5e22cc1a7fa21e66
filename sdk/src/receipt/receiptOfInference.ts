import { wordOf } from "../bytes.ts";
import { fieldsOf, lowerCase, messageOf } from "./answerReaders.ts";
import { makeReceipt } from "./makeReceipt.ts";
import { decimal, list, malformed, nullable, type Reader } from "./readers.ts";
import { type Evidence, LIMITS, type Receipt } from "./receipt.ts";

const readWords: Reader<readonly string[]> = (value, path) =>
  list(decimal(256), 1, LIMITS.words)(value, path).map((word) => wordOf(BigInt(word)));

/**
 * The receipt of a worker's answer by a model with packed words (docs/worker.md), with its proof where there is one by now. Says
 * nothing of whether it is right: that is for `verify`, by which what does not fit is refuted.
 * @param parameters.inference what `POST /v1/models/…` or `GET /v1/inferences/<request id>` answers, parsed
 * @param parameters.verifyingKey of the model's version, as the model registry keeps it; without one no proof is taken
 * @throws BaseError `format.malformed`, where the answer has not what a receipt needs
 */
export function receiptOfInference(parameters: {
  inference: unknown;
  verifyingKey?: string;
}): Receipt {
  const { inference, verifyingKey } = parameters;
  const { receipt, proof: given } = fieldsOf(inference, "inference");
  const fields = fieldsOf(receipt, "inference.receipt");
  const domain = fieldsOf(fields.domain, "inference.receipt.domain");
  const proof = nullable(lowerCase)(given ?? null, "inference.proof");
  const evidence: Evidence[] =
    proof === null || verifyingKey === undefined
      ? []
      : [{ type: "proof", proof, verifyingKey: verifyingKey.toLowerCase() }];
  return makeReceipt({
    core: {
      chainId: chainIdOf(domain.chainId, "inference.receipt.domain.chainId"),
      settlement: lowerCase(domain.verifyingContract, "inference.receipt.domain.verifyingContract"),
      message: messageOf(fields.message, "inference.receipt.message"),
      signature: lowerCase(fields.signature, "inference.receipt.signature"),
      ...{ key: null, session: null, attestation: null },
      input: {
        type: "words",
        words: readWords(fields.inputWords, "inference.receipt.inputWords"),
      },
      output: {
        type: "words",
        words: readWords(fields.outputWords, "inference.receipt.outputWords"),
      },
    },
    evidence,
  });
}

const chainIdOf: Reader<string> = (value, path) => {
  if (Number.isSafeInteger(value)) return String(value);
  throw malformed(path, "must be a whole number");
};
