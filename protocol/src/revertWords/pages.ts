import { PAGE_REASONS, PAGE_STATES } from "../pageSettlement.ts";
import { type Explanations, KINDS, named, opg, time } from "./explain.ts";

/** Every error of `PageSettlement`. */
export const PAGE_ERRORS: Explanations = {
  PageSettlement_AccountZero: () => "an account or a receiver is the zero address",
  PageSettlement_AlreadyAttested: ([id]) => `a quorum has vouched for page ${id} already`,
  PageSettlement_AmountInvalid: ([available, actual]) =>
    `${opg(actual)} cannot go in or out of the account: more than nothing, and ${opg(available)} at most`,
  PageSettlement_AnswerCountInvalid: ([count]) =>
    `a call answers 1 to 32 requests for leaves, and this one ${count}`,
  PageSettlement_CommitmentInvalid: ([commitment]) =>
    `nobody has committed to this challenge, or somebody to it before: ${commitment}`,
  PageSettlement_CommittedInThisBlock: () =>
    "a challenge follows in a later block than its commitment",
  PageSettlement_DemandInvalid: ([, index]) =>
    `the proof of place ${index} is demanded already, or is not`,
  PageSettlement_DepositTooSmall: ([needed, actual]) =>
    `the deposit for pages is too small: ${opg(actual)}, and ${opg(needed)} are needed`,
  PageSettlement_InclusionDelayInvalid: ([maximum, actual]) =>
    `a delay of forced inclusion of ${actual} seconds leaves no room for a long road; ${maximum} at most`,
  PageSettlement_KindNotOpen: ([kind]) =>
    `pages of kind ${named(KINDS, kind)} are not proposed, attested or proved so`,
  PageSettlement_LeafIsBad: ([, index, reason]) =>
    `the result at place ${index} is wrong: ${named(PAGE_REASONS, reason)}`,
  PageSettlement_LeafIsGood: ([, index]) => `nothing is wrong with the result at place ${index}`,
  PageSettlement_LeafIsProved: ([, index]) => `the result at place ${index} was proved`,
  PageSettlement_NoConflict: ([, index]) =>
    `the two results do not contradict each other at place ${index}, or the other one is not signed`,
  PageSettlement_NoConsent: ([operator]) =>
    `the page is proposed neither by ${operator}, the enclave's operator or the node, nor with its signature`,
  PageSettlement_NoP256: () => "the chain cannot check signatures of P-256 (EIP-7951)",
  PageSettlement_NotAContract: ([account]) => `${account} is no contract`,
  PageSettlement_NotAdmissible: ([version]) =>
    `version ${version} is open to optimistic pages already, hides its input, or no proof of it was shown`,
  PageSettlement_NotAttester: ([caller]) =>
    `${caller} is not who says that a quorum vouched for a page`,
  PageSettlement_NotIncluded: ([id, index]) =>
    `the result does not lead to the root of page ${id} at place ${index}`,
  PageSettlement_NotTaken: ([id, index]) =>
    `page ${id} does not take the request at place ${index}`,
  PageSettlement_NothingToTake: () => "every request of the page is taken already",
  PageSettlement_OtherDomain: ([settlement]) =>
    `settlement ${settlement} hashes results in another way`,
  PageSettlement_PageKnown: ([id]) => `page ${id} was proposed before`,
  PageSettlement_PagesOpen: ([account, count]) =>
    `${account} answers for ${count} open page(s); nothing can be withdrawn before their bonds are released`,
  PageSettlement_ParameterInvalid: ([minimum, maximum, actual]) =>
    `${actual} is out of its bounds, ${minimum} to ${maximum}`,
  PageSettlement_PauseInvalid: ([earliest, latest, actual]) =>
    `proposals cannot be paused until ${time(actual)}: a pause ends by ${time(latest)}, and the next one is possible from ${time(earliest)} on`,
  PageSettlement_Paused: ([until]) => `proposals of pages are paused until ${time(until)}`,
  PageSettlement_ProposalExpired: ([deadline]) =>
    `the page could be proposed until ${time(deadline)}`,
  PageSettlement_RequestInvalid: ([id, index]) =>
    `somebody has asked for place ${index} of page ${id} already, or nobody has`,
  PageSettlement_RequestOpen: ([id]) => `somebody waits for a result of page ${id}`,
  PageSettlement_StateInvalid: ([id, state]) =>
    `page ${id} is ${named(PAGE_STATES, state).toLowerCase()}: not possible in that state`,
  PageSettlement_TeeIdNotZero: ([teeId]) => `an optimistic page names enclave ${teeId}`,
  PageSettlement_TooEarly: ([earliest]) => `that can be done from ${time(earliest)} on`,
  PageSettlement_TooLate: ([latest]) => `that could be done until ${time(latest)}`,
  PageSettlement_TooManyDemands: () =>
    "as many proofs of the page are demanded as may be at a time",
  PageSettlement_TooManyRequests: ([id]) =>
    `as many requests wait for results of page ${id} as there may be`,
  PageSettlement_WrongNode: ([expected, actual]) =>
    `the ledger page is of node ${actual}, and the enclave is ${expected}`,
};
