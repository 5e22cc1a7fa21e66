import { BaseError } from "@haca/protocol/baseError";
import { type Contract, type EventLog, id } from "ethers";
import { type Call, encodeCall } from "./call.ts";

/** What the governor's functions take. */
export type Proposal = {
  targets: string[];
  values: bigint[];
  calldatas: string[];
  description: string;
};

/** States as the governor numbers them. */
export const STATE_NAMES = [
  "pending",
  "active",
  "canceled",
  "defeated",
  "succeeded",
  "queued",
  "expired",
  "executed",
] as const;

export const proposalOf = (calls: readonly Call[], description: string): Proposal => ({
  targets: calls.map(({ target }) => target),
  values: calls.map(() => 0n),
  calldatas: calls.map(encodeCall),
  description,
});

/** Arguments of propose. */
export const byText = ({ targets, values, calldatas, description }: Proposal) =>
  [targets, values, calldatas, description] as const;

/** Arguments of queue, execute and cancel. */
export const byHash = ({ targets, values, calldatas, description }: Proposal) =>
  [targets, values, calldatas, id(description)] as const;

/** The proposal behind an id, from the governor's events. Error: `governance.unknownProposal`. */
export async function findProposal(parameters: {
  governor: Contract;
  /** block of the governor's creation */
  fromBlock: number;
  proposalId: bigint;
}): Promise<Proposal & { proposer: string }> {
  const { governor, fromBlock, proposalId } = parameters;
  for (const { args } of (await governor.queryFilter("ProposalCreated", fromBlock)) as EventLog[]) {
    if (args.proposalId !== proposalId) continue;
    return {
      targets: [...args.targets],
      values: [...args[3]],
      calldatas: [...args.calldatas],
      description: args.description,
      proposer: args.proposer,
    };
  }
  throw new BaseError({
    code: "governance.unknownProposal",
    message: `the governor knows no proposal ${proposalId}`,
  });
}
