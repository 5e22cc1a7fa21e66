import type { AddressBook } from "@haca/protocol/addressBook";
import type { Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { NetworkConnection } from "hardhat/types/network";
import { bookHeader } from "./bookHeader.ts";
import { describeCore } from "./describeCore.ts";
import { discardStaleJournal } from "./discardStaleJournal.ts";
import { coreModule } from "./modules/core.ts";
import { requireDeployer } from "./requireDeployer.ts";

/** Seconds after a result's timestamp during which it can be settled: 7 days. */
export const DEFAULT_SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;

/**
 * Deploys the core contracts, or resumes an interrupted deployment, and returns the chain's address book
 * without models. A contract that is already there is left as it is.
 */
export async function deployCore(parameters: {
  hre: HardhatRuntimeEnvironment;
  connection: NetworkConnection;
  settlementWindow: number;
}): Promise<AddressBook> {
  const { hre, connection, settlementWindow } = parameters;
  const provider = connection.ethers.provider as unknown as Provider;
  const chainId = Number((await provider.getNetwork()).chainId);
  await discardStaleJournal({ hre, provider, chainId });

  const deployer = await requireDeployer(connection);
  const { accessManager, modelRegistry, inferenceSettlement } = await connection.ignition.deploy(
    coreModule,
    { parameters: { Core: { settlementWindow: BigInt(settlementWindow) } } },
  );
  return {
    ...bookHeader({ hre, network: connection.networkName, chainId }),
    contracts: await describeCore({
      ...{ hre, provider, chainId, deployer, settlementWindow },
      accessManager: await accessManager.getAddress(),
      modelRegistry: await modelRegistry.getAddress(),
      inferenceSettlement: await inferenceSettlement.getAddress(),
    }),
    parameters: { settlementWindow },
    models: [],
  };
}
