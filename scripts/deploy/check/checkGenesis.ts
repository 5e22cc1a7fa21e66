import { ALLOCATIONS, allocationOf, vestingPeriod } from "@haca/protocol/allocations";
import { concat, formatUnits, solidityPacked, ZeroAddress } from "ethers";
import { isoTime } from "../../lib/words.ts";
import type { Audit } from "./audit.ts";
import { ask } from "./discover.ts";
import { type GenesisParameters, genesisOf, NON_VOTING } from "./expectations.ts";
import { finding, notice, parameter, unexpected } from "./finding.ts";

const FIXED = 0;
const TRANSFERABLE = 1;
const REDIRECTABLE_ONCE = 2;
const AIRDROP_NAME = "Airdrop";

/** Allocations whose vaults gave up their votes when they were made. */
const WITHOUT_VOTES: ReadonlySet<string> = new Set(["Ecosystem", "Foundation", "Staking rewards"]);

/** A grant that the genesis distribution makes of its parameters. */
type Grant = {
  allocation: string;
  beneficiary: string;
  total: bigint;
  transferability: number;
  isRevocable: boolean;
};

/** Allocation table, vaults with their schedules and beneficiaries, liquidity and airdrop. */
export async function checkGenesis(audit: Audit): Promise<void> {
  const genesis = genesisOf(audit);
  const { findings, contracts, names } = audit;
  if (genesis === undefined) return;
  const { parameters } = genesis;
  const timelock = contracts.get("TimelockController");
  findings.push(
    finding(
      "GenesisDistribution: governance",
      names.of(timelock ?? ""),
      names.of(parameters.governance),
    ),
    parameter("token generation event", isoTime(parameters.tge)),
    parameter(
      "airdrop",
      `root ${parameters.airdropRoot}, until ${isoTime(parameters.airdropDeadline)}`,
    ),
  );
  for (const [index, period] of [...parameters.periods].entries()) {
    const allocation = ALLOCATIONS[index];
    if (allocation === undefined) continue;
    const { start, end } = vestingPeriod({ allocation, tge: Number(parameters.tge) });
    findings.push(
      finding(
        `vesting of ${allocation.name}`,
        `${isoTime(start)} to ${isoTime(end)}`,
        `${isoTime(period.start)} to ${isoTime(period.end)}`,
      ),
    );
  }
  await checkVaults(audit, parameters, genesis.ecosystemVault);
  await judgeVotes(audit, "TimelockController", timelock ?? ZeroAddress, true);
  checkDirect(audit, parameters);
}

/** In the order in which the distribution makes them. */
function expectedGrants(parameters: GenesisParameters): Grant[] {
  const { governance, foundation } = parameters;
  const whole = (allocation: string, beneficiary: string, transferability: number): Grant => ({
    ...{ allocation, beneficiary, total: allocationOf(allocation), transferability },
    isRevocable: false,
  });
  return [
    whole("Ecosystem", governance, FIXED),
    whole("Foundation", foundation, TRANSFERABLE),
    whole("Staking rewards", governance, REDIRECTABLE_ONCE),
    ...parameters.contributors.map(({ beneficiary, amount }) => ({
      ...{ allocation: "Contributors", beneficiary, total: amount },
      ...{ transferability: FIXED, isRevocable: true },
    })),
    ...parameters.investors.map(({ beneficiary, amount }) => ({
      ...{ allocation: "Investors", beneficiary, total: amount },
      ...{ transferability: TRANSFERABLE, isRevocable: false },
    })),
  ];
}

async function checkVaults(
  audit: Audit,
  parameters: GenesisParameters,
  ecosystemVault: string,
): Promise<void> {
  const { history, findings, contracts, reader, names } = audit;
  const genesis = contracts.get("GenesisDistribution");
  const created = history
    .of(contracts.get("VestingFactory"), "GrantCreated")
    .filter(({ args }) => args.funder === genesis);
  const grants = expectedGrants(parameters);
  findings.push(finding("vaults of the genesis distribution", grants.length, created.length));
  for (const [index, grant] of grants.entries()) {
    const vault: string | undefined = created[index]?.args.vault;
    if (vault === undefined) continue;
    names.add(vault, `vault of ${grant.allocation}`);
    const subject = `${grant.allocation}: vault ${vault} of ${grant.beneficiary}`;
    const code = vaultCode({ audit, parameters, ecosystemVault, grant });
    const isSame = (await reader.code(vault)).toLowerCase() === code.toLowerCase();
    findings.push(
      finding(
        `${subject}, terms`,
        "as the allocation's",
        isSame ? "as the allocation's" : "others",
      ),
      parameter(
        `${grant.allocation}`,
        `${formatUnits(grant.total)} OPG to ${names.of(grant.beneficiary)}`,
      ),
    );
    await tellVault(audit, subject, vault, grant.beneficiary);
    await judgeVotes(audit, subject, vault, WITHOUT_VOTES.has(grant.allocation));
  }
}

/** Code of a clone of the implementation with a grant's terms behind it, as VestingFactory and GrantTerms make it. */
function vaultCode(parameters: {
  audit: Audit;
  parameters: GenesisParameters;
  ecosystemVault: string;
  grant: Grant;
}): string {
  const { audit, grant, ecosystemVault } = parameters;
  const { tge, governance } = parameters.parameters;
  const allocation = ALLOCATIONS.find(({ name }) => name === grant.allocation);
  if (allocation === undefined) throw new Error(`no allocation ${grant.allocation}`);
  const { start, end } = vestingPeriod({ allocation, tge: Number(tge) });
  const atTge = (grant.total * allocation.tgeAmount) / allocation.amount;
  const terms = solidityPacked(
    ["address", "uint96", "uint96", "uint40", "uint40", "uint40", "uint8"],
    [grant.beneficiary, grant.total, atTge, tge, start, end, grant.transferability],
  );
  const revocation = grant.isRevocable
    ? solidityPacked(["address", "address"], [governance, ecosystemVault])
    : "0x";
  return concat([
    "0x363d3d373d3d3d363d73",
    audit.contracts.get("VestingVault") ?? ZeroAddress,
    "0x5af43d82803e903d91602b57fd5bf3",
    terms,
    revocation,
  ]);
}

/** What the holders of a grant's rights have done with them. */
async function tellVault(
  audit: Audit,
  subject: string,
  vault: string,
  beneficiary: string,
): Promise<void> {
  const { reader, findings, names } = audit;
  const current = await ask(reader, vault, "function beneficiary() view returns (address)");
  const pending = await ask(reader, vault, "function pendingBeneficiary() view returns (address)");
  const revokedAt = await ask(reader, vault, "function revokedAt() view returns (uint256)");
  if (current !== beneficiary) {
    findings.push(notice(subject, `handed over, to ${names.of(String(current))}`));
  }
  if (pending !== ZeroAddress) {
    findings.push(notice(subject, `offered to ${names.of(String(pending))}`));
  }
  if (revokedAt !== 0n)
    findings.push(notice(subject, `revoked at ${isoTime(revokedAt as bigint)}`));
}

/** Where votes are given up, they stay so; others are told. */
async function judgeVotes(
  audit: Audit,
  subject: string,
  account: string,
  isWithoutVotes: boolean,
): Promise<void> {
  const { reader, findings, names, contracts } = audit;
  const fragment = "function delegates(address account) view returns (address)";
  const delegatee = String(await ask(reader, contracts.get("OPG"), fragment, account));
  if (isWithoutVotes) {
    findings.push(finding(`${subject}, votes`, NON_VOTING, delegatee));
  } else if (delegatee !== ZeroAddress) {
    findings.push(notice(subject, `its votes are delegated to ${names.of(delegatee)}`));
  }
}

/** What is handed out without a vault. */
function checkDirect(audit: Audit, parameters: GenesisParameters): void {
  const { history, findings, contracts } = audit;
  const allocated = history.of(contracts.get("GenesisDistribution"), "Allocated");
  for (const [name, receiver] of [
    ["Liquidity", parameters.liquidity],
    [AIRDROP_NAME, contracts.get("MerkleAirdrop") ?? ""],
  ] as const) {
    const index = ALLOCATIONS.findIndex((allocation) => allocation.name === name);
    const given = allocated.filter(({ args }) => args.allocation === BigInt(index));
    const text = given.map(({ args }) => `${args.amount} to ${args.receiver}`).join(", ");
    const expected = `${ALLOCATIONS[index]?.amount} to ${receiver}`;
    findings.push(
      text.toLowerCase() === expected.toLowerCase()
        ? finding(`allocation ${name}`, expected, text)
        : unexpected(`allocation ${name}`, expected, text || "nothing"),
    );
  }
  findings.push(parameter("Liquidity", `60000000 OPG to ${parameters.liquidity}`));
}
