import { BaseError } from "@haca/protocol/baseError";
import { EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import { getAddress, isAddress, parseUnits } from "ethers";
import { type ChainSession, nextBlockTime, withChainSession } from "../lib/chainSession.ts";
import type { ContractOf } from "../lib/contracts.ts";
import type { SenderOptions } from "../lib/sender.ts";

/** Options of a verb that only reads. */
export type ReadOptions = { network: string; account: string };
/** Options of a verb that sends, or writes what a Safe is to send. */
export type SendOptions = ReadOptions & SenderOptions;

export type StakeContext = {
  session: ChainSession;
  staking: ContractOf<"ValidatorStaking">;
  /** unix seconds at which the next block can be */
  now: bigint;
  /** the epoch of that time */
  epoch: bigint;
};

const UINT96 = 2n ** 96n - 1n;
/** The contract counts parts in hundredths of a percent. */
export const WHOLE = 10_000n;

/** What changes nothing, or would be refused by the contract. */
export const refuse = (message: string): BaseError =>
  new BaseError({ code: "stake.refused", message: `${message}; nothing sent` });

const badArgument = (message: string): BaseError =>
  new BaseError({ code: "stake.badArgument", message });

/** Runs `work` with the staking contract of a chain. Errors: those of a chain's session. */
export function withStaking<Result>(
  network: string,
  work: (context: StakeContext) => Promise<Result>,
): Promise<Result> {
  return withChainSession(network, async (session) => {
    const staking = await session.contract("ValidatorStaking");
    const now = await nextBlockTime(session.provider);
    return work({ session, staking, now, epoch: now / EPOCH_SECONDS });
  });
}

export function addressArgument(name: string, text: string): string {
  if (/^0x/.test(text) && isAddress(text)) return getAddress(text);
  throw badArgument(`${name} ${text} is no address`);
}

/** An amount of OPG, in smallest units. */
export function amountArgument(text: string): bigint {
  const amount = /^[0-9]+(\.[0-9]{1,18})?$/.test(text) ? parseUnits(text, 18) : 0n;
  if (amount > 0n && amount <= UINT96) return amount;
  throw badArgument(`amount ${text} is no amount of OPG above 0, such as 1000 or 0.5`);
}

/** A part in percent, with up to two decimals, in hundredths of a percent. */
export function percentArgument(name: string, text: string): bigint {
  if (/^[0-9]{1,3}(\.[0-9]{1,2})?$/.test(text)) return parseUnits(text, 2);
  throw badArgument(`${name} must be a percentage such as 5 or 7.25, got ${text}`);
}

export function epochArgument(text: string): bigint {
  if (/^[0-9]{1,9}$/.test(text)) return BigInt(text);
  throw badArgument(`epoch must be a day's number since 1970, got ${text}`);
}

/** `7.25 %`, from hundredths of a percent. */
export const percent = (part: bigint): string => {
  const decimals = String(part % 100n)
    .padStart(2, "0")
    .replace(/0+$/, "");
  return `${part / 100n}${decimals === "" ? "" : `.${decimals}`} %`;
};

/** A validator that registered. Error: `stake.refused`. */
export async function knownValidator({ staking }: StakeContext, address: string) {
  const validator = await staking.validatorOf(address);
  if (BigInt(validator.key) !== 0n) return validator;
  throw refuse(`${address} is no validator`);
}

/** When what leaves a pool under an epoch's number can be withdrawn. */
export async function withdrawableFrom(
  { staking }: StakeContext,
  leavingEpoch: bigint,
): Promise<bigint> {
  return leavingEpoch * EPOCH_SECONDS + (await staking.UNBONDING());
}
