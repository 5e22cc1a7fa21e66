import { BaseError } from "@haca/protocol/baseError";
import type { NetworkConnection } from "hardhat/types/network";

/** The account that deploys. Error: `deploy.noAccount`. */
export async function requireDeployer(connection: NetworkConnection): Promise<string> {
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) {
    throw new BaseError({
      code: "deploy.noAccount",
      message: `network ${connection.networkName} has no account: set HACA_DEPLOYER_KEY`,
    });
  }
  return deployer.address;
}
