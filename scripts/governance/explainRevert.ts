import * as abis from "@haca/protocol/abi";
import { type ErrorDescription, type Fragment, Interface } from "ethers";
import { firstLine } from "../lib/connect.ts";
import { printable } from "../lib/printable.ts";

/** All errors of all contracts, each once. */
const ERRORS = new Interface([
  ...new Map<string, Fragment>(
    Object.values(abis)
      .flatMap((abi) => Interface.from(abi).fragments)
      .filter((fragment) => fragment.type === "error")
      .map((fragment) => [fragment.format("sighash"), fragment] as const),
  ).values(),
]);

/**
 * One line for whatever a chain refused a call with. Custom errors are named with their arguments:
 * `GovernorUnexpectedProposalState(proposalId: 12, …)`.
 */
export function explainRevert(error: unknown): string {
  const data = revertData(error);
  const parsed = data === undefined ? null : parse(data);
  if (parsed === null) return printable(firstLine(error));
  const values = parsed.fragment.inputs.map(
    ({ name }, index) => `${name || index}: ${String(parsed.args[index])}`,
  );
  return printable(`${parsed.name}(${values.join(", ")})`);
}

function parse(data: string): ErrorDescription | null {
  try {
    return ERRORS.parseError(data);
  } catch {
    return null;
  }
}

/** The bytes that a call reverted with: every library hides them in another place of what it throws. */
function revertData(error: unknown, depth = 0): string | undefined {
  if (typeof error === "string") return /^0x([0-9a-f]{2}){4,}$/i.test(error) ? error : undefined;
  if (typeof error !== "object" || error === null || depth > 4) return undefined;
  const holder = error as Record<string, unknown>;
  for (const key of ["data", "error", "info", "cause"]) {
    const found = revertData(holder[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
