import { EXCLUDED_STATUSES, NODE_STATUSES } from "@haca/protocol/attestationParameters";
import type { Interface, Result } from "ethers";
import type { Log } from "../reader/chainReader.ts";

/** An event of one of the deployment's contracts. */
export type Change = {
  contract: string;
  address: string;
  event: string;
  args: Result;
  block: number;
  index: number;
  transaction: string;
};

/** Decodes what the contract's interface knows; everything that it does not is no event of that contract. */
export function decodeLogs(contract: string, abi: Interface, logs: readonly Log[]): Change[] {
  return logs.flatMap(({ topics, data, ...log }) => {
    const parsed = abi.parseLog({ topics: [...topics], data });
    return parsed === null ? [] : [{ contract, event: parsed.name, args: parsed.args, ...log }];
  });
}

export const isBefore = (a: Change, b: Change): boolean =>
  a.block < b.block || (a.block === b.block && a.index < b.index);

const isExcluded = (status: bigint): boolean =>
  EXCLUDED_STATUSES.some((name) => name === NODE_STATUSES[Number(status)]);

/** Whether a node's status changed into being excluded, or out of it; undefined where neither. */
export function exclusionOf({ event, args }: Change): "banned" | "ban lifted" | undefined {
  if (event !== "TEEStatusChanged") return undefined;
  const [before, now] = [isExcluded(args.previous), isExcluded(args.current)];
  if (before === now) return undefined;
  return now ? "banned" : "ban lifted";
}
