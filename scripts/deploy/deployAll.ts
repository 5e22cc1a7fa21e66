import type { AddressBook, GenesisGrant } from "@haca/protocol/addressBook";
import { ALLOCATIONS } from "@haca/protocol/allocations";
import type { Contract, EventLog } from "ethers";
import { addressesOf } from "./addressBook/addressesOf.ts";
import { bookHeader } from "./addressBook/bookHeader.ts";
import { describeAttestation } from "./addressBook/describeAttestation.ts";
import { describeContract } from "./addressBook/describeContract.ts";
import { describeCore } from "./addressBook/describeCore.ts";
import { genesisParameters } from "./modules/governance.ts";
import type { GovernanceParameters } from "./parameters/readParameters.ts";
import { beginJournal, type Deployment } from "./plan/openDeployment.ts";
import { runGovernanceModule } from "./runGovernanceModule.ts";

/**
 * Deploys everything and hands every permission over, or resumes where an interrupted deployment stopped, and
 * returns the chain's address book without models.
 */
export async function deployAll(parameters: {
  deployment: Deployment;
  settlementWindow: number;
  governance: GovernanceParameters;
}): Promise<AddressBook> {
  const { deployment, settlementWindow, governance } = parameters;
  const { provider, deployer } = deployment;
  beginJournal(deployment);
  const { contracts: deployed, creations } = await runGovernanceModule({
    ...deployment,
    ...{ settlementWindow, governance },
  });
  const [accessManager, modelRegistry, inferenceSettlement, timelock, genesis] = await addressesOf(
    deployed.accessManager,
    deployed.modelRegistry,
    deployed.inferenceSettlement,
    deployed.timelock,
    deployed.genesis,
  );
  const [opg, vestingFactory, airdrop, governor, nodeBonds, teeRegistry] = await addressesOf(
    deployed.opg,
    deployed.vestingFactory,
    deployed.airdrop,
    deployed.governor,
    deployed.nodeBonds,
    deployed.teeRegistry,
  );
  const entry = (address: string, constructorArguments: string[], creator = address) =>
    describeContract({ provider, creations, address, constructorArguments, creator });

  const { attestation } = governance;
  const described = await describeAttestation({ provider, creations, attestation, deployed });
  const genesisEntry = await entry(genesis, [
    deployed.genesis.interface.encodeDeploy([
      { ...genesisParameters(governance), governance: timelock },
    ]),
  ]);

  return {
    ...bookHeader(deployment),
    contracts: {
      ...(await describeCore({
        ...{ provider, creations, deployer, settlementWindow },
        ...{ accessManager, modelRegistry, inferenceSettlement },
      })),
      ...described.contracts,
      NodeBonds: await entry(nodeBonds, [accessManager, opg, teeRegistry]),
      TimelockController: await entry(timelock, [
        String(governance.timelockDelay),
        "[]",
        "[0x0000000000000000000000000000000000000000]",
        deployer,
      ]),
      GenesisDistribution: genesisEntry,
      OPG: await entry(opg, [genesis, timelock], genesis),
      VestingFactory: await entry(vestingFactory, [opg], genesis),
      MerkleAirdrop: await entry(
        airdrop,
        [
          opg,
          governance.airdropRoot,
          String(await deployed.airdrop.getFunction("total")()),
          String(governance.airdropDeadline),
          await deployed.airdrop.getFunction("leftoversTo")(),
        ],
        genesis,
      ),
      HacaGovernor: await entry(governor, [
        deployed.governor.interface.encodeDeploy([opg, timelock, governance.governor]),
      ]),
    },
    parameters: {
      settlementWindow,
      attestation: described.attestation,
      governance: {
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
      },
    },
    grants: await readGrants({
      ...{ factory: deployed.vestingFactory, genesis: deployed.genesis },
      block: genesisEntry.block,
    }),
    models: [],
  };
}

/** From the events of the transaction that created everything. */
async function readGrants(parameters: {
  factory: Contract;
  genesis: Contract;
  block: number;
}): Promise<GenesisGrant[]> {
  const { factory, genesis, block } = parameters;
  const eventsOf = async (contract: Contract, name: string) =>
    (await contract.queryFilter(name, block, block)) as EventLog[];
  const allocations = new Map(
    (await eventsOf(genesis, "Allocated")).map(({ args }) => [
      args.receiver as string,
      Number(args.allocation),
    ]),
  );
  return (await eventsOf(factory, "GrantCreated"))
    .filter(({ args }) => allocations.has(args.vault))
    .map(({ args }) => ({
      allocation: ALLOCATIONS[allocations.get(args.vault) ?? -1]?.name ?? "",
      vault: args.vault,
      beneficiary: args.beneficiary,
      total: String(args.terms.total),
    }));
}
