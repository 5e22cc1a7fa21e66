import type { AddressBook, GenesisGrant, StoragePlace } from "@haca/protocol/addressBook";
import { ALLOCATIONS } from "@haca/protocol/allocations";
import { CONTRACT_ROWS, type ContractName } from "@haca/protocol/contracts";
import { Contract, type EventLog, keccak256, type Provider } from "ethers";
import { interfaceOf } from "../../lib/contracts.ts";
import { compiledContract } from "../compiled/compiledContract.ts";
import type { AttestationParameters } from "../parameters/readAttestationParameters.ts";
import type { GovernanceParameters } from "../parameters/readParameters.ts";
import type { MadeContract } from "../plan/runModule.ts";

type Contracts = AddressBook["contracts"];
type Parameters = AddressBook["parameters"];

/** Contracts of a plan as an address book has them, in the table's order. */
export async function describeContracts(parameters: {
  provider: Provider;
  made: readonly MadeContract[];
}): Promise<Contracts> {
  const { provider, made } = parameters;
  const entries: Record<string, Contracts["AccessManager"]> = {};
  for (const { name } of CONTRACT_ROWS) {
    const found = made.find((contract) => contract.name === name);
    if (found === undefined) continue;
    const { address, block, transaction, constructorArguments } = found;
    const codeHash = keccak256(await provider.getCode(address));
    entries[name] = {
      ...{ address, block, transaction, constructorArguments, codeHash },
      ...(await storageOf(name)),
    };
  }
  return entries as Contracts;
}

/** Where a contract keeps what, if witnesses show it. */
async function storageOf(name: ContractName): Promise<{ storage?: StoragePlace[] }> {
  const row = CONTRACT_ROWS.find((one) => one.name === name);
  if (row?.isWitnessed !== true) return {};
  const { storage } = await compiledContract(name);
  return storage === undefined ? {} : { storage: [...storage] };
}

/** What the registry was deployed with. */
export const describeAttestation = ({
  rootFingerprint,
  isDevelopmentRoot,
  heartbeatMaxAge,
  attestationMaxAge,
}: AttestationParameters): NonNullable<Parameters["attestation"]> => ({
  ...{ rootFingerprint, isDevelopmentRoot, heartbeatMaxAge, attestationMaxAge },
});

/** What token and governance were deployed with. */
export const describeGovernance = (
  governance: GovernanceParameters,
  deployer: string,
): NonNullable<Parameters["governance"]> => ({
  tge: governance.tge,
  airdropRoot: governance.airdropRoot,
  airdropDeadline: governance.airdropDeadline,
  deployer,
  guardian: governance.guardian,
  imageApprover: governance.imageApprover,
  foundation: governance.foundation,
  liquidity: governance.liquidity,
  timelockDelay: governance.timelockDelay,
  ...governance.governor,
  proposalThreshold: String(governance.governor.proposalThreshold),
});

/** The grants of the genesis distribution, from the events of the transaction that created everything. */
export async function readGrants(parameters: {
  provider: Provider;
  contracts: Contracts;
}): Promise<GenesisGrant[]> {
  const { provider, contracts } = parameters;
  const block = contracts.GenesisDistribution?.block;
  const eventsOf = async (name: "GenesisDistribution" | "VestingFactory", event: string) => {
    const contract = new Contract(contracts[name]?.address ?? "", interfaceOf(name), provider);
    return (await contract.queryFilter(event, block, block)) as EventLog[];
  };
  const allocations = new Map(
    (await eventsOf("GenesisDistribution", "Allocated")).map(({ args }) => [
      args.receiver as string,
      Number(args.allocation),
    ]),
  );
  return (await eventsOf("VestingFactory", "GrantCreated"))
    .filter(({ args }) => allocations.has(args.vault))
    .map(({ args }) => ({
      allocation: ALLOCATIONS[allocations.get(args.vault) ?? -1]?.name ?? "",
      vault: args.vault,
      beneficiary: args.beneficiary,
      total: String(args.terms.total),
    }));
}
