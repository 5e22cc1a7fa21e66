import {
  governorAbi,
  merkleAirdropAbi,
  opgAbi,
  timelockControllerAbi,
  vestingFactoryAbi,
} from "@haca/protocol/abi";
import { airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { ALLOCATIONS, OPG_UNIT } from "@haca/protocol/allocations";
import { type Abi, encodeFunctionData, getContract, type Hex, keccak256, stringToHex } from "viem";
import { governorModule, tokenModule } from "../../../scripts/deploy/modules/governance.ts";
import { deployOn } from "./deployOn.ts";
import type { Chain } from "./startChain.ts";
import { addressOf } from "./writeBook.ts";

const DAY = 24 * 60 * 60;
/** Short, so that a test sees whole lives of proposals. Seconds and percent. */
export const GOVERNOR = {
  votingDelay: 3,
  votingPeriod: 60,
  proposalThreshold: OPG_UNIT,
  quorumPercent: 4,
  lateQuorumExtension: 20,
};
const TIMELOCK_DELAY = 20;
/** Divides the airdrop's allocation evenly. */
const CLAIMS = 5;

const amountOf = (name: string) => ALLOCATIONS.find((each) => each.name === name)?.amount ?? 0n;

/** Token, vesting, airdrop and governance. The second account is the guardian, the third to the sixth hold grants. */
export async function deployToken(parameters: { chain: Chain }) {
  const { chain } = parameters;
  const { client } = chain;
  const [, guardian, foundation, liquidity, contributor, investor] = chain.accounts as [
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
  const deployed = await deployOn(chain, (module) => {
    const contracts = tokenModule(module, {
      ...{ tge, foundation, liquidity, timelockDelay: TIMELOCK_DELAY, governor: GOVERNOR },
      contributors: [{ beneficiary: contributor, amount: amountOf("Contributors") }],
      investors: [{ beneficiary: investor, amount: amountOf("Investors") }],
      airdropRoot: airdropRoot(tree),
      airdropDeadline: Number(timestamp) + 400 * DAY,
    });
    const { opg: votes, timelock } = contracts;
    return {
      ...contracts,
      governor: governorModule(module, { votes, timelock, governor: GOVERNOR }),
    };
  });
  const { opg, vestingFactory, airdrop, timelock, governor, genesis } = deployed;
  const { logs } = await client.getTransactionReceipt({ hash: genesis.transaction as Hex });

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

  return {
    ...{ deployed, call, claims, tree, guardian, foundation, liquidity },
    opg: getContract({ address: addressOf(opg), abi: opgAbi, client }),
    factory: getContract({ address: addressOf(vestingFactory), abi: vestingFactoryAbi, client }),
    airdrop: getContract({ address: addressOf(airdrop), abi: merkleAirdropAbi, client }),
    timelock: getContract({ address: addressOf(timelock), abi: timelockControllerAbi, client }),
    governor: getContract({ address: addressOf(governor), abi: governorAbi, client }),
    genesisLogs: logs,
  };
}
export type Token = Awaited<ReturnType<typeof deployToken>>;
