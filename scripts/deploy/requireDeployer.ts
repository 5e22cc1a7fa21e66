import { BaseError } from "@haca/protocol/baseError";
import type { NetworkConnection } from "hardhat/types/network";
import { unusable } from "./connect.ts";

/** The account that deploys. Errors: `deploy.badKey`, `deploy.noRpc`, `deploy.noAccount`. */
export async function requireDeployer(connection: NetworkConnection): Promise<string> {
  const [deployer] = await connection.ethers.getSigners().catch((cause: unknown) => {
    throw unusable(connection.networkName, cause);
  });
  if (deployer === undefined) {
    throw new BaseError({
      code: "deploy.noAccount",
      message: `network ${connection.networkName} has no account: set HACA_DEPLOYER_KEY`,
    });
  }
  return deployer.address;
}
