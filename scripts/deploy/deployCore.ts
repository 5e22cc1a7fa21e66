import type { AddressBook } from "@haca/protocol/addressBook";
import { bookHeader } from "./addressBook/bookHeader.ts";
import { describeCore } from "./addressBook/describeCore.ts";
import { coreModule } from "./modules/core.ts";
import { beginJournal, type Deployment } from "./plan/openDeployment.ts";
import { runModule } from "./plan/runModule.ts";

/** Seconds after a result's timestamp during which it can be settled: 7 days. */
export const DEFAULT_SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;

/**
 * Deploys the core contracts, or resumes an interrupted deployment, and returns the chain's address book
 * without models. A contract that is already there is left as it is.
 */
export async function deployCore(parameters: {
  deployment: Deployment;
  settlementWindow: number;
}): Promise<AddressBook> {
  const { deployment, settlementWindow } = parameters;
  const { provider, deployer } = deployment;
  beginJournal(deployment);
  const { contracts, creations } = await runModule({
    ...deployment,
    build: (module) => coreModule(module, parameters),
  });
  return {
    ...bookHeader(deployment),
    contracts: await describeCore({
      ...{ provider, creations, deployer, settlementWindow },
      accessManager: await contracts.accessManager.getAddress(),
      modelRegistry: await contracts.modelRegistry.getAddress(),
      inferenceSettlement: await contracts.inferenceSettlement.getAddress(),
    }),
    parameters: { settlementWindow },
    models: [],
  };
}
