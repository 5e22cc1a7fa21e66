import type { AddressBook } from "@haca/protocol/addressBook";
import { ALLOCATIONS, OPG_SUPPLY, vestingPeriod } from "@haca/protocol/allocations";
import { type Contract, ZeroAddress } from "ethers";
import { type Finding, finding } from "./finding.ts";

type GetContract = (name: string, address: string) => Promise<Contract>;

const FIXED = 0;
const TRANSFERABLE = 1;
const REDIRECTABLE_ONCE = 2;

/** What beneficiaries and governance may do with the grants of an allocation. */
const RIGHTS: Readonly<Record<string, { transferability: number; isRevocable: boolean }>> = {
  Ecosystem: { transferability: FIXED, isRevocable: false },
  Foundation: { transferability: TRANSFERABLE, isRevocable: false },
  Contributors: { transferability: FIXED, isRevocable: true },
  Investors: { transferability: TRANSFERABLE, isRevocable: false },
  "Staking rewards": { transferability: REDIRECTABLE_ONCE, isRevocable: false },
};

/** Allocations whose vaults gave up their votes when they were made. */
const WITHOUT_VOTES: ReadonlySet<string> = new Set(["Ecosystem", "Foundation", "Staking rewards"]);

/** Token, allocation table, schedules of all grants, airdrop, and the settings of governor and timelock. */
export async function checkToken(parameters: {
  book: AddressBook;
  getContract: GetContract;
}): Promise<Finding[]> {
  const { book, getContract } = parameters;
  const { OPG, GenesisDistribution, VestingFactory, MerkleAirdrop } = book.contracts;
  const { HacaGovernor, TimelockController, NodeBonds, TEERegistry, AccessManager } =
    book.contracts;
  const { governance } = book.parameters;
  if (!OPG || !GenesisDistribution || !VestingFactory || !MerkleAirdrop || !governance) return [];
  if (!HacaGovernor || !TimelockController) return [];
  const read = async (name: string, address: string, view: string, ...values: unknown[]) =>
    (await getContract(name, address)).getFunction(view)(...values);

  const genesis = GenesisDistribution.address;
  const airdrop = MerkleAirdrop.address;
  const governor = HacaGovernor.address;
  const comparisons: [string, string, string, unknown][] = [
    ["GenesisDistribution", genesis, "token", OPG.address],
    ["GenesisDistribution", genesis, "vestingFactory", VestingFactory.address],
    ["GenesisDistribution", genesis, "airdrop", airdrop],
    ["OPG", OPG.address, "SUPPLY", OPG_SUPPLY],
    ["OPG", OPG.address, "CLOCK_MODE", "mode=timestamp"],
    ["VestingFactory", VestingFactory.address, "token", OPG.address],
    ["MerkleAirdrop", airdrop, "token", OPG.address],
    ["MerkleAirdrop", airdrop, "root", governance.airdropRoot],
    ["MerkleAirdrop", airdrop, "deadline", governance.airdropDeadline],
    ["HacaGovernor", governor, "token", OPG.address],
    ["HacaGovernor", governor, "timelock", TimelockController.address],
    ["HacaGovernor", governor, "votingDelay", governance.votingDelay],
    ["HacaGovernor", governor, "votingPeriod", governance.votingPeriod],
    ["HacaGovernor", governor, "proposalThreshold", governance.proposalThreshold],
    ["HacaGovernor", governor, "quorumNumerator", governance.quorumPercent],
    ["HacaGovernor", governor, "lateQuorumVoteExtension", governance.lateQuorumExtension],
    ["TimelockController", TimelockController.address, "getMinDelay", governance.timelockDelay],
    ["TimelockController", TimelockController.address, "MINIMUM_DELAY", governance.timelockDelay],
  ];
  if (NodeBonds && TEERegistry) {
    comparisons.push(
      ["NodeBonds", NodeBonds.address, "authority", AccessManager.address],
      ["NodeBonds", NodeBonds.address, "TOKEN", OPG.address],
      ["NodeBonds", NodeBonds.address, "REGISTRY", TEERegistry.address],
    );
  }
  const findings: Finding[] = [];
  for (const [name, address, view, expected] of comparisons) {
    const signature = view === "quorumNumerator" ? "quorumNumerator()" : view;
    findings.push(finding(`${name}.${view}`, expected, await read(name, address, signature)));
  }

  const ecosystemVault = await read("GenesisDistribution", genesis, "ecosystemVault");
  findings.push(
    finding(
      "MerkleAirdrop.leftoversTo",
      ecosystemVault,
      await read("MerkleAirdrop", airdrop, "leftoversTo"),
    ),
  );
  const nonVoting = await read("OPG", OPG.address, "NON_VOTING");
  const delegateeOf = (account: string) => read("OPG", OPG.address, "delegates", account);
  findings.push(
    finding("votes of the timelock", nonVoting, await delegateeOf(TimelockController.address)),
  );
  for (const [index, allocation] of ALLOCATIONS.entries()) {
    const { name, amount, tgeAmount } = allocation;
    const onChain = await read("GenesisDistribution", genesis, "allocationAmount", index);
    findings.push(finding(`allocation ${name}`, amount, onChain));
    const grants = (book.grants ?? []).filter((grant) => grant.allocation === name);
    if (grants.length === 0) continue;
    const sum = grants.reduce((total, grant) => total + BigInt(grant.total), 0n);
    findings.push(finding(`sum of the grants of ${name}`, amount, sum));
    const { start, end } = vestingPeriod({ allocation, tge: governance.tge });
    for (const { vault, beneficiary, total } of grants) {
      const isVault = await read("VestingFactory", VestingFactory.address, "isVault", vault);
      findings.push(finding(`${name}: ${vault} is a vault`, true, isVault));
      if (WITHOUT_VOTES.has(name)) {
        findings.push(finding(`${name}: votes of ${vault}`, nonVoting, await delegateeOf(vault)));
      }
      const terms = await read("VestingVault", vault, "terms");
      const atTge = (BigInt(total) * tgeAmount) / amount;
      const rights = RIGHTS[name] ?? { transferability: FIXED, isRevocable: false };
      findings.push(
        finding(
          `${name}: terms of ${vault}`,
          [
            ...[beneficiary, total, atTge, governance.tge, start, end, rights.transferability],
            ...(rights.isRevocable
              ? [TimelockController.address, ecosystemVault]
              : [ZeroAddress, ZeroAddress]),
          ].join(" "),
          [...terms].join(" "),
        ),
      );
    }
  }
  return findings;
}
