import { OPG_SUPPLY } from "@haca/protocol/allocations";
import type { ListedName } from "@haca/protocol/contracts";
import { addressOf } from "../../lib/chainSession.ts";
import type { ChangeName, ContractOf, ViewName } from "../../lib/contracts.ts";
import { duration, opg } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action, ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

const UINT64 = (1n << 64n) - 1n;

/** A number that a contract has a view for. */
const readNumber = async <Name extends ListedName>(
  contract: ContractOf<Name>,
  view: ViewName<Name>,
): Promise<bigint> => await contract.getFunction(view)();

/** A proposal that sets one number of one contract. */
const setting = <Name extends ListedName>(parameters: {
  name: string;
  contract: Name;
  setter: ChangeName<Name>;
  type: string;
  getter: ViewName<Name>;
  minimum?: bigint;
  maximum: bigint;
  /** view of a bound that the contract holds itself */
  floor?: ViewName<Name>;
  what: string;
  read?: (context: ActionContext) => bigint;
  show: (value: bigint) => string;
}): Action => ({
  name: parameters.name,
  usage: parameters.read === undefined ? "<value>" : "<amount of OPG>",
  summary: `sets ${parameters.what}`,
  by: "proposal",
  functions: [`${parameters.contract}.${parameters.setter}(${parameters.type})`],
  build: async (context) => {
    const { contract, setter, type, getter, what, show, minimum = 0n, maximum } = parameters;
    const value =
      parameters.read?.(context) ?? context.values.integer("value", { minimum, maximum });
    const subject = deployed(context, contract);
    const current = await readNumber(subject, getter);
    if (value === current) throw refuse(`${what} is ${show(value)} already`);
    if (parameters.floor !== undefined) {
      const floor = await readNumber(subject, parameters.floor);
      if (value < floor) throw refuse(`${what} is never below ${show(floor)}, got ${show(value)}`);
    }
    return {
      calls: [
        {
          contract,
          target: addressOf(context.book, contract),
          fragment: `function ${setter}(${type} value)`,
          arguments: [value],
          words: `${what} changes from ${show(current)} to ${show(value)}`,
        },
      ],
    };
  },
});

const seconds = (value: bigint): string => `${value} s (${duration(value)})`;
const percent = (value: bigint): string => `${value}%`;

/** Proposals that set one number. */
export const SETTINGS: readonly Action[] = [
  setting({
    ...{ name: "set-settlement-window", contract: "InferenceSettlement", type: "uint64" },
    ...{ setter: "setSettlementWindow", getter: "settlementWindow", maximum: UINT64 },
    ...{ what: "the time after its answer in which a result can be settled", show: seconds },
  }),
  setting({
    ...{ name: "set-heartbeat-age", contract: "TEERegistry", type: "uint256" },
    ...{ setter: "setHeartbeatMaxAge", getter: "heartbeatMaxAge", maximum: UINT64 },
    ...{ what: "the age at which a node's last heartbeat makes it inactive", show: seconds },
  }),
  setting({
    ...{ name: "set-attestation-age", contract: "TEERegistry", type: "uint64" },
    ...{ setter: "setAttestationMaxAge", getter: "attestationMaxAge", maximum: UINT64 },
    ...{ what: "the age at which a node's last attestation makes it inactive", show: seconds },
  }),
  setting({
    ...{ name: "set-voting-delay", contract: "HacaGovernor", type: "uint48" },
    ...{ setter: "setVotingDelay", getter: "votingDelay", maximum: (1n << 48n) - 1n },
    ...{ what: "the time from a proposal to its vote", show: seconds },
  }),
  setting({
    ...{ name: "set-voting-period", contract: "HacaGovernor", type: "uint32" },
    ...{ setter: "setVotingPeriod", getter: "votingPeriod" },
    ...{ minimum: 1n, maximum: (1n << 32n) - 1n },
    ...{ what: "the time to vote", show: seconds },
  }),
  setting({
    ...{ name: "set-proposal-threshold", contract: "HacaGovernor", type: "uint256" },
    ...{ setter: "setProposalThreshold", getter: "proposalThreshold", maximum: OPG_SUPPLY },
    ...{ what: "the votes that a proposer needs", show: opg },
    read: ({ values }) => values.tokens("amount of OPG"),
  }),
  setting({
    ...{ name: "set-late-quorum-extension", contract: "HacaGovernor", type: "uint48" },
    ...{ setter: "setLateQuorumVoteExtension", getter: "lateQuorumVoteExtension" },
    ...{ maximum: 365n * 86_400n, show: seconds },
    what: "the time to vote that is left, at least, once the quorum is reached",
  }),
  setting({
    ...{ name: "set-quorum", contract: "HacaGovernor", type: "uint256" },
    ...{ setter: "updateQuorumNumerator", getter: "quorumNumerator", minimum: 1n, maximum: 100n },
    ...{ what: "the share of what can vote that has to vote for or abstain", show: percent },
  }),
  setting({
    ...{ name: "set-timelock-delay", contract: "TimelockController", type: "uint256" },
    ...{ setter: "updateDelay", getter: "getMinDelay", maximum: 365n * 86_400n },
    floor: "MINIMUM_DELAY",
    ...{ what: "the time between a decision and its execution", show: seconds },
  }),
];
