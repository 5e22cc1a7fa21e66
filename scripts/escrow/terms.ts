import { ESCROW_KINDS, escrowKindsInWords } from "@haca/protocol/inferenceEscrow";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { isHexString, ZeroAddress } from "ethers";
import { addressArgument, badArgument, percent } from "./context.ts";

const KINDS: Readonly<Record<string, bigint>> = {
  zkml: ESCROW_KINDS.zkml,
  tee: ESCROW_KINDS.tee,
  "tee-page": ESCROW_KINDS.teePage,
  "optimistic-page": ESCROW_KINDS.optimisticPage,
};

/** Kinds of results, by their names with commas between. */
export function kindsArgument(text: string): bigint {
  let kinds = 0n;
  for (const name of text.split(",")) {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kind === undefined) {
      throw badArgument(`--kinds must be of ${Object.keys(KINDS).join(", ")}, got ${name}`);
    }
    kinds |= kind;
  }
  return kinds;
}

/** A node's address, or that of an enclave. */
export const nodeArgument = (text: string): string =>
  isHexString(text, 32) ? nodeOfEnclave(text) : addressArgument("--node", text);

/** What gates and operators are for. */
export type PaidTerms = {
  node: string;
  payee: string;
  feeReceiver: string;
  feeBps: bigint;
  kinds: bigint;
};

export const termLines = ({ feeBps, feeReceiver, kinds, node, payee }: PaidTerms): string[] => [
  `node       ${node}`,
  `payee      ${payee}, fee ${feeReceiver === ZeroAddress ? "none" : `${percent(feeBps)} to ${feeReceiver}`}`,
  `counts     ${escrowKindsInWords(kinds)}`,
];
