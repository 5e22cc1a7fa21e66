import type { NetworkConnection } from "hardhat/types/network";
import { governanceModule } from "./modules/governance.ts";
import type { GovernanceParameters } from "./readParameters.ts";

/** Deploys everything, or resumes: the core contracts, token and governance, and the hand-over. */
export const runGovernanceModule = (parameters: {
  connection: NetworkConnection;
  settlementWindow: number;
  governance: GovernanceParameters;
}) => {
  const { connection, settlementWindow, governance } = parameters;
  return connection.ignition.deploy(governanceModule(governance), {
    parameters: { Core: { settlementWindow: BigInt(settlementWindow) } },
  });
};
