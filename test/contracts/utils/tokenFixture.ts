import { addMonths } from "@haca/protocol/addMonths";
import { type AirdropEntry, airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { ALLOCATIONS, OPG_UNIT } from "@haca/protocol/allocations";
import { type BaseContract, type EventLog, id, Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import {
  genesisParameters,
  governorModule,
  tokenModule,
} from "../../../scripts/deploy/modules/governance.ts";
import { deployOn } from "./deployOn.ts";

/** A token generation event that lies ahead of the test chain's clock. */
export const TGE = Date.UTC(2031, 0, 31) / 1000;
export const MIN_DELAY = 2 * 24 * 60 * 60;

export const GOVERNOR_SETTINGS = {
  votingDelay: 24 * 60 * 60,
  votingPeriod: 5 * 24 * 60 * 60,
  proposalThreshold: 1_000_000n * OPG_UNIT,
  quorumPercent: 4,
  lateQuorumExtension: 2 * 24 * 60 * 60,
};

export const AIRDROP_MONTHS = 12;

/** Accounts with keys of their own and amounts that sum to the airdrop's allocation. */
export function airdropEntries(count: number): { wallet: Wallet; entry: AirdropEntry }[] {
  const allocation = ALLOCATIONS.find(({ name }) => name === "Airdrop");
  if (allocation === undefined) throw new Error("no airdrop");
  const each = allocation.amount / BigInt(count);
  return Array.from({ length: count }, (_, i) => {
    const wallet = new Wallet(id(`claimant ${i}`));
    const amount = i === 0 ? allocation.amount - each * BigInt(count - 1) : each;
    return { wallet, entry: { account: wallet.address, amount } };
  });
}

/** Timelock, genesis distribution, and a governor that asks the token alone for votes. */
export async function deployToken(
  connection: NetworkConnection,
  overrides: { tge?: number; airdropCount?: number; airdropDeadline?: number } = {},
) {
  const { ethers } = connection;
  const [
    deployer,
    foundation,
    liquidity,
    guardian,
    alice,
    bob,
    carol,
    investor,
    contributor,
    stranger,
  ] = await ethers.getSigners();
  if (
    !(deployer && foundation && liquidity && guardian && alice && bob && carol) ||
    !(investor && contributor && stranger)
  ) {
    throw new Error("no accounts");
  }
  const tge = overrides.tge ?? TGE;
  const claims = airdropEntries(overrides.airdropCount ?? 5);
  const tree = buildAirdropTree(claims.map(({ entry }) => entry));

  const token = {
    tge,
    foundation: foundation.address,
    liquidity: liquidity.address,
    contributors: [
      { beneficiary: contributor.address, amount: 50_000_000n * OPG_UNIT + 1n },
      { beneficiary: carol.address, amount: 100_000_000n * OPG_UNIT - 1n },
    ],
    investors: [{ beneficiary: investor.address, amount: 100_000_000n * OPG_UNIT }],
    airdropRoot: airdropRoot(tree),
    airdropDeadline: overrides.airdropDeadline ?? addMonths({ time: tge, months: AIRDROP_MONTHS }),
    timelockDelay: MIN_DELAY,
    governor: GOVERNOR_SETTINGS,
  };
  const deployed = await deployOn(connection, (module) => {
    const contracts = tokenModule(module, token);
    const { opg: votes, timelock } = contracts;
    const { governor } = token;
    return { ...contracts, governor: governorModule(module, { votes, timelock, governor }) };
  });
  const { getContractAt } = ethers;
  const timelock = await getContractAt("TimelockController", deployed.timelock.address);
  const genesis = await getContractAt("GenesisDistribution", deployed.genesis.address);
  const opg = await getContractAt("OPG", deployed.opg.address);
  const factory = await getContractAt("VestingFactory", deployed.vestingFactory.address);
  const airdrop = await getContractAt("MerkleAirdrop", deployed.airdrop.address);
  const governor = await getContractAt("HacaGovernor", deployed.governor.address);
  const parameters = { ...genesisParameters(token), governance: deployed.timelock.address };
  const allocated = (await eventsOf(genesis, "Allocated")).map(({ args }) => ({
    allocation: Number(args.allocation),
    receiver: args.receiver as string,
    amount: args.amount as bigint,
  }));
  const vaultAt = (address: string) => ethers.getContractAt("VestingVault", address);
  const vaultsOf = (allocation: number) =>
    Promise.all(
      allocated
        .filter((entry) => entry.allocation === allocation)
        .map(({ receiver }) => vaultAt(receiver)),
    );
  return {
    ...{ connection, ethers, parameters, tge, claims, tree, allocated, vaultAt, vaultsOf },
    ...{ deployer, foundation, liquidity, guardian, alice, bob, carol },
    ...{ investor, contributor, stranger },
    ...{ timelock, genesis, opg, factory, airdrop, governor },
  };
}
export type TokenFixture = Awaited<ReturnType<typeof deployToken>>;

/** All events of a name that a contract ever emitted. */
export async function eventsOf(contract: BaseContract, name: string): Promise<EventLog[]> {
  const filter = contract.getEvent(name);
  return (await contract.queryFilter(filter)) as EventLog[];
}

/** Terms of a grant like a contributor's, with changes. */
export const grantTerms = (overrides: Record<string, unknown> = {}) => ({
  beneficiary: "0x00000000000000000000000000000000000000b1",
  total: 1_000n * OPG_UNIT,
  tgeAmount: 0n,
  tge: TGE,
  start: addMonths({ time: TGE, months: 12 }),
  end: addMonths({ time: TGE, months: 48 }),
  transferability: 0,
  revoker: "0x0000000000000000000000000000000000000000",
  refundTo: "0x0000000000000000000000000000000000000000",
  ...overrides,
});

/** Makes a grant out of the liquidity account's tokens and returns its vault. */
export async function createGrant(fixture: TokenFixture, overrides: Record<string, unknown> = {}) {
  const { opg, factory, liquidity, vaultAt } = fixture;
  const terms = grantTerms(overrides);
  await opg.connect(liquidity).approve(await factory.getAddress(), terms.total);
  const address = await factory.connect(liquidity).create.staticCall(terms);
  await factory.connect(liquidity).create(terms);
  return vaultAt(address);
}
