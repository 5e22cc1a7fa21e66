import { BaseError } from "@haca/protocol/baseError";
import { formatUnits, getAddress, isAddress, isHexString, parseUnits } from "ethers";
import {
  addressOf,
  type ChainSession,
  nextBlockTime,
  withChainSession,
} from "../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import type { SenderOptions } from "../lib/sender.ts";
import { printable } from "../lib/words.ts";

export type ReadOptions = { network: string };
/** Options of a verb that sends, or writes what a Safe is to send. */
export type SendOptions = ReadOptions & SenderOptions;

export type EscrowContext = {
  session: ChainSession;
  escrow: ContractOf<"InferenceEscrow">;
  /** unix seconds at which the next block can be */
  now: bigint;
};

/** A token, and how amounts of it are written. */
export type Token = { address: string; decimals: number; symbol: string };

const MOST_SYMBOL = 16;
const MOST_DECIMALS = 36;

export const badArgument = (message: string): BaseError =>
  new BaseError({ code: "escrow.badArgument", message });

const isBadArgument = (error: unknown): boolean =>
  error instanceof BaseError && error.code === "escrow.badArgument";

/** What changes nothing, or would be refused by the contract. */
export const refuse = (message: string): BaseError =>
  new BaseError({ code: "escrow.refused", message: `${message}; nothing sent` });

/** Runs `work` with the escrow of a chain. Errors: those of a chain's session. */
export function withEscrow<Result>(
  network: string,
  work: (context: EscrowContext) => Promise<Result>,
): Promise<Result> {
  return withChainSession(network, async (session) => {
    const escrow = await session.contract("InferenceEscrow");
    return work({ session, escrow, now: await nextBlockTime(session.provider) });
  });
}

export function addressArgument(name: string, text: string): string {
  if (/^0x/.test(text) && isAddress(text)) return getAddress(text);
  throw badArgument(`${name} ${text} is no address`);
}

export function hashArgument(name: string, text: string): string {
  if (isHexString(text, 32)) return text.toLowerCase();
  throw badArgument(`${name} must be 0x and 64 hex digits, got ${text}`);
}

export function secondsArgument(name: string, text: string): bigint {
  if (/^[0-9]{1,9}$/.test(text) && BigInt(text) > 0n) return BigInt(text);
  throw badArgument(`${name} must be a number of seconds, got ${text}`);
}

/** An amount of a token, in smallest units. */
export function amountArgument(name: string, text: string, token: Token): bigint {
  const [, decimals = ""] = /^[0-9]{1,30}(?:\.([0-9]+))?$/.exec(text) ?? [undefined, "x"];
  if (decimals === "x" || decimals.length > token.decimals) {
    throw badArgument(`${name} ${text} is no amount of ${token.symbol}, such as 5 or 0.5`);
  }
  return parseUnits(text, token.decimals);
}

/** OPG, or what a token says of itself. Error: `escrow.badArgument` if it is none. */
export async function tokenAt({ session }: EscrowContext, given?: string): Promise<Token> {
  const { book, provider } = session;
  const opg = addressOf(book, "OPG");
  const address = given === undefined ? opg : addressArgument("--token", given);
  if (address === opg) return { address, decimals: 18, symbol: "OPG" };
  // Any token has these functions of OPG's.
  const token = contractAt({ name: "OPG", address, runner: provider });
  const answers = await Promise.all([token.symbol(), token.decimals()]).catch(() => undefined);
  const decimals = Number(answers?.[1] ?? MOST_DECIMALS + 1);
  if (answers === undefined || decimals > MOST_DECIMALS) {
    throw badArgument(`${address} does not answer as a token`);
  }
  // Its own word for itself: the address tells which it is.
  const symbol = `"${printable(String(answers[0])).slice(0, MOST_SYMBOL)}" of ${address}`;
  return { address, decimals, symbol };
}

/** As `tokenAt`; what does not answer as a token is written in smallest units, with its address: anybody may name one. */
export async function tokenOrUnits(context: EscrowContext, address: string): Promise<Token> {
  try {
    return await tokenAt(context, address);
  } catch (error) {
    if (!isBadArgument(error)) throw error;
    return { address, decimals: 0, symbol: `smallest units of ${address}` };
  }
}

export const amountWords = (amount: bigint, { decimals, symbol }: Token): string =>
  `${formatUnits(amount, decimals)} ${symbol}`;

/** `2.5 %`, from hundredths of a percent. */
export const percent = (part: bigint): string => `${Number(part) / 100} %`;

/** What failed transfers of a token left payee and receiver of the fee in a gate or an operator. */
export async function creditsIn(
  contract: ContractOf<"ChannelGate"> | ContractOf<"CommerceOperator">,
  { token, terms }: { token: string; terms: { payee: string; feeReceiver: string } },
): Promise<{ account: string; amount: bigint }[]> {
  const credits: { account: string; amount: bigint }[] = [];
  for (const account of new Set([terms.payee, terms.feeReceiver])) {
    const amount = await contract.creditOf(token, account);
    if (amount > 0n) credits.push({ account, amount });
  }
  return credits;
}
