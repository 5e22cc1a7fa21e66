import type { CommerceJobText } from "@haca/protocol/commerceJobText";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import type { JsonObject } from "@haca/protocol/json/json";
import { type TypedDataDomain, ZeroAddress } from "ethers";
import { outputHashOf } from "./hashes.ts";
import type { RequestIds } from "./requestIds.ts";
import type { ResultSigner } from "./resultSigner.ts";

/** A permit by which the escrow holds what an answer costs, or the job for which the public one does, as the worker takes it. */
export type HeldPayment =
  | { payer: string; nonce: string; validUntil: string }
  | { job: CommerceJobText };

/** A voucher of a payment channel, as the worker takes it: amounts are decimal text. */
export type ChargedVoucher = {
  channel: {
    payer: string;
    payerAuthorizer: string;
    receiver: string;
    receiverAuthorizer: string;
    token: string;
    withdrawDelay: number;
    salt: string;
  };
  maxClaimableAmount: string;
  signature: string;
};

/** What an answer is charged, and to whom. */
export type Charge = {
  requester: string;
  /** smallest units that an answer costs */
  priceOf: (answer: JsonObject) => bigint;
  /** where an escrow holds it */
  payment?: HeldPayment;
  /** where it is paid by a channel */
  voucher?: ChargedVoucher;
};

/** A result as the worker takes it and as the answer shows it: numbers are decimal text. */
export type SignedResult = {
  message: { [Field in keyof InferenceResult]: string };
  signature: string;
  /** what the worker captures once this is settled; no part of what is signed */
  payment?: HeldPayment | undefined;
  /** by which the worker claims it of a channel; no part of what is signed */
  voucher?: ChargedVoucher | undefined;
};

/** What an answer is signed with. */
export type Signing = {
  signer: ResultSigner;
  ids: RequestIds;
  /** of the settlement contract */
  domain: TypedDataDomain;
  /** unix seconds */
  clock: () => bigint;
  /** absent: nobody is charged */
  charge?: Charge;
};

/** Signs an answer under a fresh id, as a result that the settlement contract settles. */
export function signAnswer(parameters: {
  signing: Signing;
  modelVersion: string;
  inputHash: string;
  answer: JsonObject;
}): SignedResult {
  const { answer, inputHash, modelVersion, signing } = parameters;
  const { charge } = signing;
  const result: InferenceResult = {
    ...{ modelVersion, inputHash, outputHash: outputHashOf(answer) },
    ...{ requester: charge?.requester ?? ZeroAddress, price: charge?.priceOf(answer) ?? 0n },
    requestId: signing.ids.next(),
    ...{ timestamp: signing.clock(), teeId: signing.signer.teeId },
  };
  const signature = signing.signer.sign(hashResult({ domain: signing.domain, result }));
  const { price, timestamp, ...rest } = result;
  const message = { ...rest, price: String(price), timestamp: String(timestamp) };
  const { payment, voucher } = charge ?? {};
  return { message, signature, ...(payment && { payment }), ...(voucher && { voucher }) };
}
