import { BaseError } from "@haca/protocol/baseError";
import { ROLES } from "@haca/protocol/roles";
import { Contract, getCreateAddress, type InterfaceAbi, type Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

/** An account for a deployment has few transactions; one with more is not searched. */
const NONCE_LIMIT = 2_000;

/**
 * The nonce at which the account began a deployment that it has not handed over: that of the newest AccessManager
 * whose administrator it is. Undefined if there is none. Needs no old state, and no journal.
 */
export async function findAbandoned(parameters: {
  hre: HardhatRuntimeEnvironment;
  provider: Provider;
  deployer: string;
}): Promise<number | undefined> {
  const { hre, provider, deployer } = parameters;
  const { abi, deployedBytecode } = await hre.artifacts.readArtifact("AccessManager");
  const count = await provider.getTransactionCount(deployer);
  if (count > NONCE_LIMIT) {
    throw new BaseError({
      code: "deploy.accountUsed",
      message: `${deployer} has sent ${count} transactions: make an account for the deployment alone, so that an interrupted one can be found again`,
    });
  }
  for (let nonce = count - 1; nonce >= 0; nonce -= 1) {
    const address = getCreateAddress({ from: deployer, nonce });
    if ((await provider.getCode(address)) !== deployedBytecode) continue;
    const manager = new Contract(address, abi as unknown as InterfaceAbi, provider);
    const [isAdministrator] = await manager.getFunction("hasRole")(ROLES.ADMIN, deployer);
    if (isAdministrator) return nonce;
  }
  return undefined;
}
