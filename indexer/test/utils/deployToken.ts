import {
  genesisDistributionAbi,
  governorAbi,
  merkleAirdropAbi,
  opgAbi,
  timelockControllerAbi,
  vestingFactoryAbi,
} from "@haca/protocol/abi";
import { airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { ALLOCATIONS, OPG_UNIT, vestingPeriod } from "@haca/protocol/allocations";
import {
  type Abi,
  encodeFunctionData,
  getContract,
  type Hex,
  keccak256,
  parseEventLogs,
  stringToHex,
  zeroAddress,
} from "viem";

import { addressOf, type Creation } from "./addressBookOf.ts";
import { deployArtifact, TIMELOCK } from "./deployArtifact.ts";
import type { Chain } from "./startChain.ts";

const DAY = 24 * 60 * 60;
/** Short, so that a test sees whole lives of proposals. Seconds and percent. */
export const GOVERNOR = {
  votingDelay: 3,
  votingPeriod: 60,
  proposalThreshold: OPG_UNIT,
  quorumPercent: 4n,
  lateQuorumExtension: 20,
};
const TIMELOCK_DELAY = 20n;
/** Divides the airdrop's allocation evenly. */
const CLAIMS = 5;

const amountOf = (name: string) => ALLOCATIONS.find((each) => each.name === name)?.amount ?? 0n;

/** Token, vesting, airdrop and governance. The second account is the guardian, the third to the sixth hold grants. */
export async function deployToken(parameters: { chain: Chain }) {
  const { chain } = parameters;
  const { client } = chain;
  const [deployer, guardian, foundation, liquidity, contributor, investor] = chain.accounts as [
    ...[Hex, Hex, Hex, Hex, Hex, Hex],
    ...Hex[],
  ];
  const { timestamp } = await client.getBlock();
  // All cliffs are over, and every vault has something to pay.
  const tge = Number(timestamp) - 400 * DAY;
  const claims = chain.accounts.slice(2, 2 + CLAIMS).map((account) => ({
    account,
    amount: amountOf("Airdrop") / BigInt(CLAIMS),
  }));
  const tree = buildAirdropTree(claims);
  const periods = ALLOCATIONS.slice(0, 5).map((allocation) => vestingPeriod({ allocation, tge }));

  const timelock = await deployArtifact({
    ...{ chain, artifact: TIMELOCK },
    arguments: [TIMELOCK_DELAY, [], [zeroAddress], deployer],
  });
  const genesis = await deployArtifact({
    ...{ chain, artifact: "contracts/token/GenesisDistribution.sol/GenesisDistribution.json" },
    arguments: [
      {
        ...{ tge, periods, governance: addressOf(timelock), foundation, liquidity },
        contributors: [{ beneficiary: contributor, amount: amountOf("Contributors") }],
        investors: [{ beneficiary: investor, amount: amountOf("Investors") }],
        airdropRoot: airdropRoot(tree),
        airdropDeadline: Number(timestamp) + 400 * DAY,
      },
    ],
  });
  const [distributed] = parseEventLogs({
    abi: genesisDistributionAbi,
    logs: genesis.logs,
    eventName: "Distributed",
  });
  if (distributed === undefined) {
    throw new Error("the genesis distribution made nothing");
  }
  const { token, vestingFactory, airdrop } = distributed.args;
  const governor = await deployArtifact({
    ...{ chain, artifact: "contracts/governance/HacaGovernor.sol/HacaGovernor.json" },
    arguments: [token, addressOf(timelock), GOVERNOR],
  });

  /** Calls a function of a contract. */
  const call = (call: {
    to: Hex;
    abi: Abi;
    functionName: string;
    args?: readonly unknown[];
    from?: Hex;
  }) => {
    const { to, from, abi, functionName, args = [] } = call;
    const data = encodeFunctionData({ abi, functionName, args });
    return chain.send({ to, data, ...(from === undefined ? {} : { from }) });
  };
  const grantTimelockRole = (role: string, account: Hex) =>
    call({
      ...{ to: addressOf(timelock), abi: timelockControllerAbi, functionName: "grantRole" },
      args: [keccak256(stringToHex(role)), account],
    });
  await grantTimelockRole("PROPOSER_ROLE", addressOf(governor));
  await grantTimelockRole("CANCELLER_ROLE", guardian);

  const madeByGenesis = (contractAddress: Hex): Creation => ({ ...genesis, contractAddress });
  const creations = {
    TimelockController: timelock,
    GenesisDistribution: genesis,
    OPG: madeByGenesis(token),
    VestingFactory: madeByGenesis(vestingFactory),
    MerkleAirdrop: madeByGenesis(airdrop),
    HacaGovernor: governor,
  };
  return {
    ...{ creations, call, claims, tree, guardian, foundation, liquidity },
    opg: getContract({ address: token, abi: opgAbi, client }),
    factory: getContract({ address: vestingFactory, abi: vestingFactoryAbi, client }),
    airdrop: getContract({ address: airdrop, abi: merkleAirdropAbi, client }),
    timelock: getContract({ address: addressOf(timelock), abi: timelockControllerAbi, client }),
    governor: getContract({ address: addressOf(governor), abi: governorAbi, client }),
    genesisLogs: genesis.logs,
  };
}
export type Token = Awaited<ReturnType<typeof deployToken>>;
