import { BaseError } from "@haca/protocol/baseError";
import type { NetworkConnection } from "hardhat/types/network";
import { firstLine } from "./connect.ts";

/** The account that deploys. Errors: `deploy.badKey`, `deploy.noAccount`. */
export async function requireDeployer(connection: NetworkConnection): Promise<string> {
  const [deployer] = await connection.ethers.getSigners().catch((cause: unknown) => {
    throw new BaseError({
      code: "deploy.badKey",
      message: `network ${connection.networkName}: ${firstLine(cause)} (the key is HACA_DEPLOYER_KEY, 0x and 64 hex digits)`,
      cause,
    });
  });
  if (deployer === undefined) {
    throw new BaseError({
      code: "deploy.noAccount",
      message: `network ${connection.networkName} has no account: set HACA_DEPLOYER_KEY`,
    });
  }
  return deployer.address;
}
