import { accessManagerAbi, governorAbi, opgAbi, timelockControllerAbi } from "@haca/protocol/abi";
import {
  concat,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  padHex,
  stringToHex,
  toFunctionSelector,
  toHex,
  zeroHash,
} from "viem";
import type { Token } from "./deployToken.ts";
import type { Random } from "./randomFrom.ts";
import type { Chain } from "./startChain.ts";

export type Proposal = {
  id: bigint;
  proposer: Hex;
  targets: Hex[];
  values: bigint[];
  calldatas: Hex[];
  /** bytes */
  description: Hex;
};

const PROPOSE = toFunctionSelector("propose(address[],uint256[],bytes[],string)");
/** What it takes, with bytes for the text: on a chain they are the same. */
const PROPOSE_TYPES = [
  ...[{ type: "address[]" }, { type: "uint256[]" }, { type: "bytes[]" }],
  { type: "bytes" },
] as const;

const ROLES = [1n, 2n, 3n];
/** Of `IGovernor.ProposalState`, those in which something can be done. */
const STATE = { pending: 0, active: 1, succeeded: 4, queued: 5 };

/** What can happen to proposals and to the roles of the AccessManager, whose administrator is the first account. */
export function governanceOperations(parameters: {
  chain: Chain;
  token: Token;
  manager: Hex;
  random: Random;
}) {
  const { chain, token, manager, random } = parameters;
  const { governor, timelock, call } = token;
  const accounts = chain.accounts.slice(1, 8);
  const proposals: Proposal[] = [];
  const onItself = <name extends "setVotingPeriod" | "updateQuorumNumerator">(
    functionName: name,
    args: name extends "setVotingPeriod" ? [number] : [bigint],
  ) => encodeFunctionData({ abi: governorAbi, functionName, args } as never);
  const approval = encodeFunctionData({
    abi: opgAbi,
    functionName: "approve",
    args: [token.guardian, 1n],
  });
  /** The governor refuses calls to itself that do not come from its own `execute`; the token does not care. */
  const actions: [Hex, Hex][] = [
    [governor.address, onItself("setVotingPeriod", [70])],
    [governor.address, onItself("updateQuorumNumerator", [7n])],
    [token.opg.address, approval],
    [token.opg.address, approval],
  ];

  const onGovernor = (
    functionName: string,
    args: readonly unknown[],
    from = random.pick(accounts),
  ) => call({ to: governor.address, abi: governorAbi, functionName, args, from });
  const onManager = (functionName: string, args: readonly unknown[]) =>
    call({ to: manager, abi: accessManagerAbi, functionName, args });
  const byHash = ({ targets, values, calldatas, description }: Proposal) =>
    [targets, values, calldatas, keccak256(description)] as const;
  /** The same call as the timelock knows it. */
  const batchOf = ({ targets, values, calldatas, description }: Proposal) => {
    const prefix = BigInt(padHex(governor.address, { dir: "right", size: 32 }));
    const salt = toHex(prefix ^ BigInt(keccak256(description)), { size: 32 });
    return [targets, values, calldatas, zeroHash, salt] as const;
  };

  /** A proposal that is in one of the governor's states now. */
  const pickIn = async (...states: number[]): Promise<Proposal> => {
    const all = await Promise.all(
      proposals.map(async (proposal) => ({
        proposal,
        state: await governor.read.state([proposal.id]),
      })),
    );
    return random.pick(all.filter(({ state }) => states.includes(state))).proposal;
  };
  const granted: (readonly [bigint, Hex])[] = [];

  const operations = {
    propose: async () => {
      const proposer = random.pick(accounts);
      const count = 1 + random.below(2);
      const [target, calldata] = random.pick(actions);
      const action = {
        targets: Array<Hex>(count).fill(target),
        values: Array<bigint>(count).fill(0n),
        calldatas: Array<Hex>(count).fill(calldata),
        // A NUL, which PostgreSQL refuses, and a byte that is no UTF-8.
        description: concat([
          stringToHex(`proposal ${proposals.length} \u0000 of ${random.below(1000)}`),
          "0xe9",
        ]),
      };
      const { targets, values, calldatas, description } = action;
      const words = encodeAbiParameters(PROPOSE_TYPES, [targets, values, calldatas, description]);
      await chain.send({ to: governor.address, data: concat([PROPOSE, words]), from: proposer });
      const hash = keccak256(description);
      const id = await governor.read.hashProposal([targets, values, calldatas, hash]);
      proposals.push({ id, proposer, ...action });
    },
    vote: async () =>
      onGovernor("castVoteWithReason", [
        ...[(await pickIn(STATE.active)).id, random.pick([0, 1, 1, 1, 2]), "because \u0000"],
      ]),
    voteWithParameters: async () =>
      onGovernor("castVoteWithReasonAndParams", [
        ...[(await pickIn(STATE.active)).id, random.pick([0, 1, 1, 2]), "why", "0x01"],
      ]),
    queue: async () => onGovernor("queue", byHash(await pickIn(STATE.succeeded))),
    execute: async () => onGovernor("execute", byHash(await pickIn(STATE.queued))),
    executeAtTimelock: async () =>
      call({
        ...{ to: timelock.address, abi: timelockControllerAbi, functionName: "executeBatch" },
        args: batchOf(await pickIn(STATE.queued)),
      }),
    cancel: async () => {
      const proposal = await pickIn(STATE.pending);
      await onGovernor("cancel", byHash(proposal), proposal.proposer);
    },
    cancelAtTimelock: async () => {
      const id = await timelock.read.hashOperationBatch(batchOf(await pickIn(STATE.queued)));
      const to = timelock.address;
      const from = token.guardian;
      await call({ to, abi: timelockControllerAbi, functionName: "cancel", args: [id], from });
    },
    grantRole: async () => {
      const grant = [random.pick(ROLES), random.pick(accounts)] as const;
      await onManager("grantRole", [...grant, random.below(5)]);
      granted.push(grant);
    },
    revokeRole: async () => onManager("revokeRole", random.pick(granted)),
    labelRole: async () => onManager("labelRole", [random.pick(ROLES), `role ${random.below(9)}`]),
    setRoleAdmin: async () => onManager("setRoleAdmin", [random.pick(ROLES), random.pick(ROLES)]),
    setRoleGuardian: async () =>
      onManager("setRoleGuardian", [random.pick(ROLES), random.pick(ROLES)]),
    setGrantDelay: async () => onManager("setGrantDelay", [random.pick(ROLES), random.below(9)]),
    setTargetFunctionRole: async () =>
      onManager("setTargetFunctionRole", [
        random.pick(accounts),
        [toHex(random.below(5), { size: 4 }), toHex(7, { size: 4 })],
        random.pick(ROLES),
      ]),
    setTargetClosed: async () =>
      onManager("setTargetClosed", [random.pick(accounts), random.below(2) === 0]),
    setTargetAdminDelay: async () =>
      onManager("setTargetAdminDelay", [random.pick(accounts), random.below(9)]),
  };
  return { operations, proposals };
}
export type GovernanceOperations = ReturnType<typeof governanceOperations>;
