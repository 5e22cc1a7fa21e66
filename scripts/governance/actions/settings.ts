import { addressOf } from "../call.ts";
import { duration } from "../duration.ts";
import type { Action } from "./action.ts";
import { readView } from "./readView.ts";

const UINT64 = (1n << 64n) - 1n;

/** A proposal that sets one number of one contract. */
const setting = (parameters: {
  name: string;
  contract: string;
  setter: string;
  type: string;
  getter: string;
  maximum: bigint;
  what: string;
  show: (value: bigint) => string;
}): Action => ({
  name: parameters.name,
  usage: "<value>",
  summary: `sets ${parameters.what}`,
  by: "proposal",
  build: async (context) => {
    const value = context.values.whole("value", { minimum: 0n, maximum: parameters.maximum });
    const { contract, setter, type, getter, what, show } = parameters;
    const view = `function ${getter}() view returns (uint256)`;
    const current: bigint = await readView(context, contract, view);
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
    ...{ setter: "setVotingPeriod", getter: "votingPeriod", maximum: (1n << 32n) - 1n },
    ...{ what: "the time to vote", show: seconds },
  }),
  setting({
    ...{ name: "set-quorum", contract: "HacaGovernor", type: "uint256" },
    ...{ setter: "updateQuorumNumerator", getter: "quorumNumerator", maximum: 100n },
    ...{ what: "the share of all OPG that has to vote for or abstain", show: percent },
  }),
  setting({
    ...{ name: "set-timelock-delay", contract: "TimelockController", type: "uint256" },
    ...{ setter: "updateDelay", getter: "getMinDelay", maximum: 365n * 86_400n },
    ...{ what: "the time between a decision and its execution", show: seconds },
  }),
];
