import { BaseError } from "@haca/protocol/baseError";
import { explainRevert, revertData } from "@haca/protocol/explainRevert";
import { TRANSACTION_GAS_LIMIT } from "@haca/protocol/gasLimit";
import { isError } from "ethers";
import { firstLine, grouped, printable } from "./words.ts";

const LONGEST = 300;
const OUT_OF_GAS = /out of gas|gas required exceeds|exceeds .*gas (cap|limit)/i;
const UNPAID = /insufficient funds|enough funds/i;

/** Why a call failed, as one line: the contract's reason in words, or what the library said. */
export function reasonOf(error: unknown): string {
  const data = revertData(error);
  return printable(data === undefined ? libraryText(error) : explainRevert(data).message);
}

/**
 * Whatever a call or a transaction met, as one line: `chain.refused` with the contract's reason, `chain.tooMuchGas`
 * where it does not fit into a transaction, `chain.unpaid` where the account cannot pay, `chain.failed` for the rest.
 * Errors of the project pass as they are.
 */
export function explainError(parameters: { error: unknown; action: string }): BaseError {
  const { error, action } = parameters;
  if (error instanceof BaseError) return error;
  const data = revertData(error);
  if (data !== undefined) {
    return new BaseError({
      code: "chain.refused",
      message: `${action} is refused: ${reasonOf(error)}`,
      details: { data, name: explainRevert(data).name },
      cause: error,
    });
  }
  const text = libraryText(error);
  if (OUT_OF_GAS.test(text)) {
    return new BaseError({
      code: "chain.tooMuchGas",
      message: `${action} does not fit the ${grouped(TRANSACTION_GAS_LIMIT)} gas of one transaction`,
      cause: error,
    });
  }
  const code = UNPAID.test(text) ? "chain.unpaid" : "chain.failed";
  return new BaseError({ code, message: `${action}: ${text}`, cause: error });
}

/** What a library says, or where it only wraps, what is inside. */
function libraryText(error: unknown): string {
  const inner = isError(error, "UNKNOWN_ERROR")
    ? (error.error as { message?: unknown } | undefined)?.message
    : undefined;
  return firstLine(typeof inner === "string" ? inner : error).slice(0, LONGEST);
}
