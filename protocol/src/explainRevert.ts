import { type ErrorDescription, Interface } from "ethers";
import { abis, errorAbis } from "../generated/abi.ts";
import { COMMON_ERRORS } from "./revertWords/common.ts";
import { ENCLAVE_ERRORS } from "./revertWords/enclaves.ts";
import type { Explanations } from "./revertWords/explain.ts";
import { PAGE_ERRORS } from "./revertWords/pages.ts";
import { PAYMENT_ERRORS } from "./revertWords/payments.ts";
import { STAKING_ERRORS } from "./revertWords/staking.ts";

/** Why a call reverted: the error's name, and one line for a person. Its text is a contract's: not to be trusted. */
export type Revert = { name: string; message: string };

const BUILT_IN = ["error Error(string reason)", "error Panic(uint256 code)"];
const INTERFACES = [BUILT_IN, ...Object.values(abis), ...errorAbis].map(
  (abi) => new Interface(abi),
);

/** What a person can do something about; the other errors are shown with their arguments. */
const EXPLANATIONS: Explanations = {
  ...COMMON_ERRORS,
  ...ENCLAVE_ERRORS,
  ...PAGE_ERRORS,
  ...PAYMENT_ERRORS,
  ...STAKING_ERRORS,
};

const DEPTH = 6;
/** Where libraries put what lies behind an error. */
const INNER = ["data", "error", "info", "cause"] as const;

/** The bytes that a call reverted with, wherever a library has put them in what it throws; undefined where it has none. */
export function revertData(error: unknown, depth = 0): string | undefined {
  if (typeof error === "string") return /^0x([0-9a-f]{2}){4,}$/i.test(error) ? error : undefined;
  if (typeof error !== "object" || error === null || depth > DEPTH) return undefined;
  for (const key of INNER) {
    const found = revertData((error as Record<string, unknown>)[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The data of a revert in words: of any contract of a deployment, a reason, or a panic. */
export function explainRevert(data: string | null | undefined): Revert {
  if (data === null || data === undefined || data === "0x") {
    return { name: "unknown", message: "reverted without a reason" };
  }
  for (const abi of INTERFACES) {
    const error = parse(abi, data);
    if (error !== null) return describe(error);
  }
  return { name: "unknown", message: `reverted with ${data.slice(0, 74)}` };
}

/** The same four bytes may be another contract's error, with other values behind them. */
function parse(abi: Interface, data: string): ErrorDescription | null {
  try {
    return abi.parseError(data);
  } catch {
    return null;
  }
}

function describe(error: ErrorDescription): Revert {
  const { name, args, fragment } = error;
  const explain = EXPLANATIONS[name];
  if (explain !== undefined) return { name, message: explain(args.toArray()) };
  const values = fragment.inputs.map((input, index) => `${input.name || index}: ${args[index]}`);
  return { name, message: `${name}(${values.join(", ")})` };
}
