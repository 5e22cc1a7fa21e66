import type { CommerceDeployment } from "@haca/protocol/commerceEscrows";
import { governanceModule } from "./modules/governance.ts";
import type { GovernanceParameters } from "./parameters/readParameters.ts";
import { runModule } from "./plan/runModule.ts";

/** Deploys everything, or resumes: the core contracts, token and governance, and the hand-over. */
export const runGovernanceModule = (
  parameters: Omit<Parameters<typeof runModule>[0], "build"> & {
    settlementWindow: number;
    governance: GovernanceParameters;
    /** x402's proxy, for a deployment with the escrow */
    uptoProxy?: string;
    /** whether channels have gates, too */
    hasGates?: boolean;
    /** the public escrow of commerce payments, if there are operators over it, too */
    commerce?: CommerceDeployment;
  },
) => runModule({ ...parameters, build: (module) => governanceModule(module, parameters) });
