import { toBeHex } from "ethers";
import { escrowKindsInWords, JOB_STATUSES, type JobStatus } from "../inferenceEscrow.ts";
import { PAGE_STATES } from "../pageSettlement.ts";
import { type Explanations, named, time } from "./explain.ts";

/** `2.5 %`, from hundredths of a percent. */
const percent = (part: unknown): string => `${Number(part) / 100} %`;

const inWords = (kinds: unknown): string => escrowKindsInWords(BigInt(String(kinds)));

const STATUS_WORDS: Readonly<Record<JobStatus, string>> = {
  None: "was never opened",
  Open: "is open already",
  Captured: "was captured",
  Refunded: "was refunded",
  Cancelled: "was cancelled",
};

/** As `ICommerceOperator.Status` counts. */
const OPERATOR_STATUS_WORDS = [
  "was never opened",
  "is open",
  "was captured",
  "was given back",
] as const;

/** Every error of `InferenceEscrow`, of gates of channels, of operators of commerce payments, and of what makes these. Amounts are of any token: in its smallest units. */
export const PAYMENT_ERRORS: Explanations = {
  CaptureRules_AlreadyCaptured: ([requestId]) =>
    `the result of request ${requestId} has captured a job already`,
  CaptureRules_KindNotAccepted: ([kinds, kind]) =>
    `the job takes ${inWords(kinds)}, and this result is ${inWords(kind)}`,
  CaptureRules_NotAContract: ([account]) => `${account} is no contract`,
  CaptureRules_NotSettled: ([requestId]) =>
    `request ${requestId} was not settled alone with this result and of this kind`,
  CaptureRules_PageNotFinal: ([state]) =>
    `the page is not final yet, but ${named(PAGE_STATES, state).toLowerCase()}`,
  CaptureRules_PriceInvalid: ([maximum, actual]) =>
    `a price of ${actual} smallest units is none, or above the ${maximum} that are held`,
  CaptureRules_TooLate: ([deadline]) => `the job could be captured until ${time(deadline)}`,
  CaptureRules_WrongNode: ([expected, actual]) =>
    `the job is node ${expected}'s, and the result node ${actual}'s`,
  CaptureRules_WrongRequest: ([expected, actual]) =>
    `the job is for request hash ${expected}, and the result for ${actual}`,
  CaptureRules_WrongRequester: ([expected, actual]) =>
    `${expected} pays for the job, and ${actual} requested the result`,
  ChannelGate_CreditInvalid: ([receiver, amount]) =>
    `${amount} smallest units of credit cannot go to ${receiver}`,
  ChannelGate_KindNotAccepted: ([kinds, kind]) =>
    `the gate takes ${inWords(kinds)}, and this result is ${inWords(kind)}`,
  ChannelGate_NotIncluded: ([expected, actual]) =>
    `the results lead to root ${actual}, and the page's is ${expected}`,
  ChannelGate_NotParty: ([caller]) => `${caller} is neither the node nor the payee of the gate`,
  ChannelGate_NotReceiver: ([channelId]) =>
    `the gate is not both receiver and authorizer of channel ${channelId}`,
  ChannelGate_NotSettled: ([requestId]) =>
    `request ${requestId} was not settled alone with this result and of this kind`,
  ChannelGate_NotTaken: ([bitmap]) =>
    `the page does not take the requests ${toBeHex(BigInt(String(bitmap)))}, by their places`,
  ChannelGate_NothingNew: ([page]) =>
    `all these results of ledger page ${page} were counted before, or there are none`,
  ChannelGate_NothingToClaim: () =>
    "nothing was counted since the last claim, the vouchers are used up, or the channels are empty",
  ChannelGate_PageNotFinal: ([state]) =>
    `the page is not final yet, but ${named(PAGE_STATES, state).toLowerCase()}`,
  ChannelGate_WrongNode: ([expected, actual]) =>
    `the gate is node ${expected}'s, and the results node ${actual}'s`,
  ChannelGate_WrongRequester: ([expected, actual]) =>
    `results of the channel name ${expected} as requester, and this one ${actual}`,
  ChannelGates_AccountZero: () => "a gate needs a node and a payee",
  ChannelGates_FeeInvalid: ([feeBps, receiver]) =>
    `the gate's fee is not the escrow's of now: ${percent(feeBps)} to ${receiver}`,
  ChannelGates_KindsInvalid: ([kinds]) => `${kinds} names no kinds of results that can be paid`,
  ChannelGates_NotAContract: ([account]) => `${account} is no contract`,
  CommerceOperator_CollectorUnknown: ([collector]) =>
    `${collector} is neither of the public escrow's collectors`,
  CommerceOperator_FeeInvalid: ([minFeeBps]) =>
    `the payment wants a fee of the public escrow's, ${percent(minFeeBps)} at least`,
  CommerceOperator_NotOpen: ([paymentHash, status]) =>
    `payment ${paymentHash} ${OPERATOR_STATUS_WORDS[Number(status)] ?? "is not open"}`,
  CommerceOperator_NotParty: ([caller]) =>
    `${caller} is neither the node nor the payee of the operator`,
  CommerceOperator_OtherOperator: ([actual]) => `the payment is of another operator, ${actual}`,
  CommerceOperator_ReceiverInvalid: ([actual]) =>
    `the payment's receiver is ${actual}, and not the operator`,
  CommerceOperator_SaltInvalid: ([expected, actual]) =>
    `request hash and nonce lead to salt ${toBeHex(BigInt(String(expected)))}, and the payment's is ${toBeHex(BigInt(String(actual)))}`,
  CommerceOperator_TokenInvalid: ([expected, actual]) =>
    `the operator takes token ${expected}, and the payment is in ${actual}`,
  CommerceOperator_TooEarly: ([deadline]) => `the payer gets it back from ${time(deadline)} on`,
  CommerceOperator_UnknownVersion: ([account]) =>
    `${account} is no public escrow of commerce payments of a version that is known`,
  CommerceOperator_WindowInvalid: ([minimum, maximum, actual]) =>
    `${actual} s to the deadline are out of their bounds, ${minimum} to ${maximum} s`,
  CommerceOperators_AccountZero: () => "an operator needs a node, a payee and a token",
  CommerceOperators_FeeInvalid: ([feeBps, receiver]) =>
    `the operator's fee is not the escrow's of now: ${percent(feeBps)} to ${receiver}`,
  CommerceOperators_KindsInvalid: ([kinds]) =>
    `${kinds} names no kinds of results that can be paid`,
  InferenceEscrow_AmountInvalid: ([expected, actual]) =>
    `${actual} smallest units arrived or are there, and ${expected} were expected`,
  InferenceEscrow_FeeInvalid: ([expected, actual]) =>
    `a fee of ${percent(actual)} is not the one of now, or above the highest: ${percent(expected)}`,
  InferenceEscrow_JobNotInStatus: ([jobId, status]) =>
    `job ${jobId} ${STATUS_WORDS[JOB_STATUSES[Number(status)] ?? "None"]}`,
  InferenceEscrow_KindsInvalid: ([kinds]) => `${kinds} names no kinds of results that can be paid`,
  InferenceEscrow_NotEscrow: ([caller]) => `${caller} is not the escrow of this facilitator`,
  InferenceEscrow_NotParty: ([caller]) => `${caller} is neither the node nor the payee of the job`,
  InferenceEscrow_TokenNotAllowed: ([token]) => `governance does not allow token ${token}`,
  InferenceEscrow_TooEarly: ([deadline]) => `the payer gets it back from ${time(deadline)} on`,
  InferenceEscrow_WindowInvalid: ([minimum, maximum, actual]) =>
    `a window of ${actual} s is out of its bounds, ${minimum} to ${maximum} s`,
  InferenceEscrow_WrongJob: ([jobId]) => `what was brought is not the content of job ${jobId}`,
  PageOpening_IndexTwice: ([index]) => `place ${index} of the page is named twice`,
  PageOpening_RecordsInvalid: ([length]) =>
    `${length} bytes are no records of results, or none at all`,
  PageOpening_SiblingsInvalid: ([expected, actual]) =>
    `the page's tree needs ${expected} hashes, and there are ${actual}`,
  Payouts_AccountInvalid: ([account]) =>
    `${account} cannot be paid: it is the zero address or the contract itself`,
  Payouts_NoCredit: ([token, account]) => `${account} has no credit in token ${token}`,
};
