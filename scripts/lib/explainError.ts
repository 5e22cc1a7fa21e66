import { BaseError } from "@haca/protocol/baseError";
import { type ErrorDescription, Interface, isError } from "ethers";

const PANICS: Readonly<Record<string, string>> = {
  "1": "an assertion failed",
  "17": "arithmetic overflow",
  "18": "division by zero",
  "50": "an index is out of range",
};

/** Every custom error that a contract of this project can revert with; none where nothing was built yet. */
async function knownErrors(): Promise<Interface[]> {
  try {
    const abis: Record<string, readonly object[]> = await import("@haca/protocol/abi");
    return Object.values(abis).map((abi) => new Interface(abi));
  } catch {
    return [];
  }
}

/** Data of a revert, wherever the provider has put it; undefined where there is none. */
export function revertData(error: unknown): string | undefined {
  if (isError(error, "CALL_EXCEPTION") && error.data) return error.data;
  for (let current = error, depth = 0; current instanceof Object && depth < 6; depth++) {
    const { data, cause, error: inner, info } = current as Record<string, unknown>;
    if (typeof data === "string" && /^0x[0-9a-fA-F]{8,}$/.test(data)) return data;
    if (data instanceof Object && typeof (data as { data?: unknown }).data === "string") {
      return (data as { data: string }).data;
    }
    current = inner ?? cause ?? info ?? undefined;
  }
  return undefined;
}

/** A revert's data in words: the custom error with the names of its values, a reason, a panic. */
export async function explainRevert(data: string): Promise<string> {
  const builtIn = new Interface(["error Error(string reason)", "error Panic(uint256 code)"]);
  for (const abi of [builtIn, ...(await knownErrors())]) {
    const found = abi.parseError(data);
    if (found !== null) return describe(found);
  }
  return `reverted with ${data.slice(0, 74)}`;
}

function describe({ name, args, fragment }: ErrorDescription): string {
  if (name === "Error") return String(args[0]);
  if (name === "Panic") return PANICS[String(args[0])] ?? `panic ${args[0]}`;
  return `${name}(${fragment.inputs.map((input, index) => `${input.name}: ${args[index]}`).join(", ")})`;
}

/**
 * Whatever a call or a transaction met, as one line: `chain.refused` with the contract's reason, `chain.unpaid` where
 * the account cannot pay, `chain.failed` for the rest. Errors of the project pass as they are.
 */
export async function explainError(parameters: {
  error: unknown;
  action: string;
}): Promise<BaseError> {
  const { error, action } = parameters;
  if (error instanceof BaseError) return error;
  const data = revertData(error);
  if (data !== undefined) {
    const message = `${action} is refused: ${await explainRevert(data)}`;
    return new BaseError({ code: "chain.refused", message, details: { data }, cause: error });
  }
  const text = isError(error, "UNKNOWN_ERROR") ? innerMessage(error) : messageOf(error);
  const code = /insufficient funds|enough funds/i.test(text) ? "chain.unpaid" : "chain.failed";
  return new BaseError({ code, message: `${action}: ${text}`, cause: error });
}

const messageOf = (error: unknown): string =>
  ((error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "").slice(0, 300);

function innerMessage(error: { message: string; error?: unknown }): string {
  const inner = error.error as { message?: unknown } | undefined;
  return typeof inner?.message === "string"
    ? messageOf(new Error(inner.message))
    : messageOf(error);
}
