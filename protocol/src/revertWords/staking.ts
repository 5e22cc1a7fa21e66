import { PAGE_REASONS } from "../pageSettlement.ts";
import { type Explanations, KINDS, named, opg, time } from "./explain.ts";

/** `7.25 %`, from hundredths of a percent. */
const percent = (part: unknown): string => `${Number(part) / 100} %`;

/** Every error of `ValidatorStaking` and `RewardRouter`. */
export const STAKING_ERRORS: Explanations = {
  ValidatorStaking_AlreadyRegistered: ([validator]) => `${validator} is a validator already`,
  ValidatorStaking_AlreadySlashed: ([id, validator]) =>
    `validator ${validator} was slashed for page ${id} before`,
  // Of OPG, of shares of a pool, and of nothing at all: the smallest units fit each of them.
  ValidatorStaking_AmountInvalid: ([minimum, maximum, actual]) =>
    BigInt(String(maximum)) < BigInt(String(minimum))
      ? "there is nothing of that"
      : `an amount of ${actual} is out of its bounds, ${minimum} to ${maximum} smallest units`,
  ValidatorStaking_Closed: ([validator]) =>
    `the pool of ${validator} has lost almost everything and is closed for good`,
  ValidatorStaking_CommissionInvalid: ([maximum, actual]) =>
    `a commission of ${percent(actual)} is above ${percent(maximum)}`,
  ValidatorStaking_DailySlashReached: ([left, actual]) =>
    `the validator can lose ${opg(left)} more today, and this would take ${opg(actual)}: again tomorrow`,
  ValidatorStaking_KeyInvalid: ([key]) => `key ${key} is or was somebody's`,
  ValidatorStaking_KindNotOpen: ([kind]) =>
    `nobody vouches for ${named(KINDS, kind)} pages, or answers for a signature of one`,
  ValidatorStaking_NoConsentOfKey: ([key]) =>
    `the holder of key ${key} has not signed that it is this validator's`,
  ValidatorStaking_NoQuorum: ([needed, actual]) =>
    `the signers have ${opg(actual)} that can still be slashed, and more than ${opg(needed)} are needed`,
  ValidatorStaking_NotAContract: ([account]) => `${account} is no contract`,
  ValidatorStaking_NotSlashable: ([id, reason]) =>
    `signers of page ${id} do not answer for it: ${Number(reason) === 0 ? "nothing was shown to be wrong" : named(PAGE_REASONS, reason)}`,
  ValidatorStaking_NotStronger: ([needed, actual]) =>
    `the set is full: more than ${opg(needed)} are needed, and the pool has ${opg(actual)}`,
  ValidatorStaking_NotTheSnapshot: ([epoch]) =>
    `the list is not the snapshot of epoch ${epoch}, or that epoch has none`,
  ValidatorStaking_NotTheWeakest: ([expected, actual]) =>
    /^0x0+$/.test(String(expected))
      ? `there is room in the set: nobody has to go for this, and not ${actual}`
      : `the weakest member of the set is ${expected}, and not ${actual}`,
  ValidatorStaking_NothingAnnounced: ([validator]) =>
    `${validator} has announced nothing that is due`,
  ValidatorStaking_NothingToPay: ([epoch]) =>
    `these signers have vouched for no page of epoch ${epoch} that was not paid`,
  ValidatorStaking_ParameterInvalid: ([minimum, maximum, actual]) =>
    `${actual} is out of its bounds, ${minimum} to ${maximum}`,
  ValidatorStaking_PlaceInvalid: ([validator]) =>
    `${validator} is in the set already, or is not in it`,
  ValidatorStaking_SelfStakeTooSmall: ([minimum, actual]) =>
    `the owner has ${opg(actual)} in their own pool, and ${opg(minimum)} are needed`,
  ValidatorStaking_SignatureInvalid: ([index, key]) =>
    `member ${index} of the snapshot, key ${key}, has not signed this page for this contract and chain`,
  ValidatorStaking_SignerInvalid: ([id, index]) =>
    `member ${index} of the snapshot is not one that page ${id} can be held against in this way`,
  ValidatorStaking_SignersInvalid: ([signers, bytes]) =>
    `${bytes} bytes of signatures are not those of the signers ${signers}, or one is not in the snapshot`,
  ValidatorStaking_TooEarly: ([earliest]) => `that can be done from ${time(earliest)} on`,
  ValidatorStaking_TooLate: ([latest]) => `that could be done until ${time(latest)}`,
  ValidatorStaking_TooManyPools: ([maximum]) =>
    `stake is in ${maximum} pools already, or was within 90 days: a vote looks at no more`,
  ValidatorStaking_TotalStakeTooSmall: ([minimum, actual]) =>
    `the whole set has ${opg(actual)}, and vouches for nothing below ${opg(minimum)}`,
  ValidatorStaking_UnknownValidator: ([validator]) => `${validator} is no validator`,
  RewardRouter_NoRecipient: () => "governance has named nobody who gets rewards yet",
  RewardRouter_NotAContract: ([account]) => `${account} is no contract`,
  RewardRouter_NothingHere: () => "the reward router holds nothing",
};
