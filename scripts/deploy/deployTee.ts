import type { AddressBook } from "@haca/protocol/addressBook";
import type { Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { NetworkConnection } from "hardhat/types/network";
import { bookHeader } from "./bookHeader.ts";
import { describeAttestation } from "./describeAttestation.ts";
import { describeCore } from "./describeCore.ts";
import { isDevelopmentChain } from "./developmentChain.ts";
import { discardStaleJournal } from "./discardStaleJournal.ts";
import { teeModule } from "./modules/attestation.ts";
import type { AttestationParameters } from "./readAttestationParameters.ts";
import { requireDeployer } from "./requireDeployer.ts";

/**
 * Deploys the core and the TEE registry with what verifies attestations, or resumes, and returns the chain's address
 * book without models. The deployer stays administrator.
 */
export async function deployTee(parameters: {
  hre: HardhatRuntimeEnvironment;
  connection: NetworkConnection;
  settlementWindow: number;
  attestation: AttestationParameters;
}): Promise<AddressBook> {
  const { hre, connection, settlementWindow, attestation } = parameters;
  const provider = connection.ethers.provider as unknown as Provider;
  const chainId = Number((await provider.getNetwork()).chainId);
  await discardStaleJournal({ hre, provider, chainId });

  const deployer = await requireDeployer(connection);
  const module = teeModule({ attestation, isDevelopmentChain: isDevelopmentChain(chainId) });
  const deployed = await connection.ignition.deploy(module, {
    parameters: { Core: { settlementWindow: BigInt(settlementWindow) } },
  });
  const described = await describeAttestation({ hre, provider, chainId, attestation, deployed });
  return {
    ...bookHeader({ hre, network: connection.networkName, chainId }),
    contracts: {
      ...(await describeCore({
        ...{ hre, provider, chainId, deployer, settlementWindow },
        accessManager: await deployed.accessManager.getAddress(),
        modelRegistry: await deployed.modelRegistry.getAddress(),
        inferenceSettlement: await deployed.inferenceSettlement.getAddress(),
      })),
      ...described.contracts,
    },
    parameters: { settlementWindow, attestation: described.attestation },
    models: [],
  };
}
