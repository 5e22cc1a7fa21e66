import { AbiCoder, Interface, type Log, type Result } from "ethers";
import { commerceOperatorAbi, commerceOperatorsAbi } from "../generated/abi.ts";
import type { CommerceJob, CommercePayment, OperatorTerms } from "./commercePayments.ts";

/** Calls of a `CommerceOperator`, and the event by which its jobs are known. */
export const operatorInterface = new Interface(commerceOperatorAbi);
/** Calls of `CommerceOperators`. */
export const operatorsInterface = new Interface(commerceOperatorsAbi);

/** What `terms` answers; undefined where something else than an operator has answered, or nothing. */
export function operatorTermsIn(answer: string | undefined): OperatorTerms | undefined {
  try {
    const [terms] = operatorInterface.decodeFunctionResult("terms", answer ?? "0x");
    return terms.toObject();
  } catch {
    return undefined;
  }
}

/** A job as the call that opens it has it. */
export const jobInOpening = (data: string): CommerceJob =>
  jobOf(operatorInterface.decodeFunctionData("open", data)[0]);

/** Jobs that an operator's logs have opened, with the logs. */
export function commerceJobsIn(parameters: {
  logs: readonly Log[];
  operator: string;
}): { log: Log; job: CommerceJob }[] {
  const { logs, operator } = parameters;
  const topic = operatorInterface.getEvent("JobOpened")?.topicHash;
  return logs.flatMap((log) => {
    const isOfOperator = log.address.toLowerCase() === operator.toLowerCase();
    const args = isOfOperator && log.topics[0] === topic && operatorInterface.parseLog(log)?.args;
    return args ? [{ log, job: jobOf(args.job) }] : [];
  });
}

/** A job as bytes, which are the same for the same job. */
export const encodeCommerceJob = (job: CommerceJob): string =>
  AbiCoder.defaultAbiCoder().encode(jobTypes(), [job]);

/** The job that bytes have. */
export const decodeCommerceJob = (bytes: string): CommerceJob =>
  jobOf(AbiCoder.defaultAbiCoder().decode(jobTypes(), bytes)[0]);

const jobTypes = () => operatorInterface.getEvent("JobOpened")?.inputs.slice(-1) ?? [];

function jobOf(result: Result): CommerceJob {
  const { payment, requestHash, saltNonce } = result.toObject();
  return { payment: payment.toObject() as CommercePayment, requestHash, saltNonce };
}
