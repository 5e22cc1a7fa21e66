import type { AddressBook } from "@haca/protocol/addressBook";
import type { CommerceDeployment } from "@haca/protocol/commerceEscrows";
import type { Part } from "@haca/protocol/contracts";
import { bookHeader } from "./addressBook/bookHeader.ts";
import {
  describeAttestation,
  describeContracts,
  describeGovernance,
  readGrants,
} from "./addressBook/describe.ts";
import { teeModule } from "./modules/attestation.ts";
import { coreModule } from "./modules/core.ts";
import { governanceModule } from "./modules/governance.ts";
import type { GovernanceParameters } from "./parameters/readParameters.ts";
import { beginJournal, type Deployment } from "./plan/openDeployment.ts";
import type { Plan, PlannedContract } from "./plan/plan.ts";
import { runModule } from "./plan/runModule.ts";

/** Seconds after a result's timestamp during which it can be settled: 7 days. */
export const DEFAULT_SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;

/** How far a deployment goes, and with what. */
export type Wanted = { settlementWindow: number; isDevelopmentChain: boolean } & (
  | { part: "core" }
  | {
      part: Exclude<Part, "core">;
      governance: GovernanceParameters;
      /** x402's proxy, if the escrow is among what is deployed */
      uptoProxy?: string | undefined;
      /** whether gates of channels are, too */
      hasGates?: boolean;
      /** the public escrow of commerce payments, if operators over it are, too */
      commerce?: CommerceDeployment | undefined;
    }
);

/** The plan of a part and of those before it; with the last one, every permission is handed over. */
export const moduleOf =
  (wanted: Wanted) =>
  (module: Plan): Record<string, PlannedContract> => {
    if (wanted.part === "core") return coreModule(module, wanted);
    if (wanted.part === "governance") return governanceModule(module, wanted);
    return teeModule(module, { ...wanted, attestation: wanted.governance.attestation });
  };

/**
 * Deploys a part and those before it, or goes on where an interrupted deployment stopped, and returns the chain's
 * address book without models. A contract that is already there is left as it is. Until the last part, the deployer
 * stays administrator.
 */
export async function deployPart(parameters: {
  deployment: Deployment;
  wanted: Wanted;
}): Promise<AddressBook> {
  const { deployment, wanted } = parameters;
  const { provider, deployer } = deployment;
  beginJournal(deployment);
  const { describe } = await runModule({ ...deployment, build: moduleOf(wanted) });
  const contracts = await describeContracts({ provider, made: await describe() });
  const { settlementWindow } = wanted;
  const base = { ...bookHeader(deployment), contracts, models: [] };
  if (wanted.part === "core") return { ...base, parameters: { settlementWindow } };
  const { governance, part } = wanted;
  const attestation = describeAttestation(governance.attestation);
  if (part === "tee") return { ...base, parameters: { settlementWindow, attestation } };
  return {
    ...base,
    parameters: {
      ...{ settlementWindow, attestation },
      governance: describeGovernance(governance, deployer),
    },
    grants: await readGrants({ provider, contracts }),
  };
}
