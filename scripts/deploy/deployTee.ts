import type { AddressBook } from "@haca/protocol/addressBook";
import { isDevelopmentChain } from "../lib/connect.ts";
import { bookHeader } from "./addressBook/bookHeader.ts";
import { describeAttestation } from "./addressBook/describeAttestation.ts";
import { describeCore } from "./addressBook/describeCore.ts";
import { teeModule } from "./modules/attestation.ts";
import type { AttestationParameters } from "./parameters/readAttestationParameters.ts";
import { beginJournal, type Deployment } from "./plan/openDeployment.ts";
import { runModule } from "./plan/runModule.ts";

/**
 * Deploys the core and the TEE registry with what verifies attestations, or resumes, and returns the chain's address
 * book without models. The deployer stays administrator.
 */
export async function deployTee(parameters: {
  deployment: Deployment;
  settlementWindow: number;
  attestation: AttestationParameters;
}): Promise<AddressBook> {
  const { deployment, settlementWindow, attestation } = parameters;
  const { provider, deployer, chainId } = deployment;
  beginJournal(deployment);
  const { contracts: deployed, creations } = await runModule({
    ...deployment,
    build: (module) =>
      teeModule(module, { ...parameters, isDevelopmentChain: isDevelopmentChain(chainId) }),
  });
  const described = await describeAttestation({ provider, creations, attestation, deployed });
  return {
    ...bookHeader(deployment),
    contracts: {
      ...(await describeCore({
        ...{ provider, creations, deployer, settlementWindow },
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
