import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { type TypedDataDomain, ZeroAddress } from "ethers";
import type { JsonObject } from "../json/json.ts";
import { outputHashOf } from "./hashes.ts";
import type { RequestIds } from "./requestIds.ts";
import type { ResultSigner } from "./resultSigner.ts";

/** A result as the worker takes it and as the answer shows it: numbers are decimal text. */
export type SignedResult = {
  message: { [Field in keyof InferenceResult]: string };
  signature: string;
};

/** What an answer is signed with. */
export type Signing = {
  signer: ResultSigner;
  ids: RequestIds;
  /** of the settlement contract */
  domain: TypedDataDomain;
  /** unix seconds */
  clock: () => bigint;
};

/** Signs an answer under a fresh id, as a result that the settlement contract settles. Nobody is charged for it. */
export function signAnswer(parameters: {
  signing: Signing;
  modelVersion: string;
  inputHash: string;
  answer: JsonObject;
}): SignedResult {
  const { answer, inputHash, modelVersion, signing } = parameters;
  const result: InferenceResult = {
    ...{ modelVersion, inputHash, outputHash: outputHashOf(answer) },
    ...{ requester: ZeroAddress, requestId: signing.ids.next(), price: 0n },
    ...{ timestamp: signing.clock(), teeId: signing.signer.teeId },
  };
  const signature = signing.signer.sign(hashResult({ domain: signing.domain, result }));
  const { price, timestamp, ...rest } = result;
  return { message: { ...rest, price: String(price), timestamp: String(timestamp) }, signature };
}
