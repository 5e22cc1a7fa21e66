import { execFileSync } from "node:child_process";
import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { type Contract, keccak256, type Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { NetworkConnection } from "hardhat/types/network";
import { compilerSettings } from "./compilerSettings.ts";
import { discardStaleJournal } from "./discardStaleJournal.ts";
import { findCreation } from "./findCreation.ts";
import { coreModule } from "./modules/core.ts";

/** Seconds after a result's timestamp during which it can be settled: 7 days. */
export const DEFAULT_SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;

/**
 * Deploys the core contracts, or resumes an interrupted deployment, and returns the chain's address book
 * without models. A contract that is already there is left as it is.
 */
export async function deployCore(parameters: {
  hre: HardhatRuntimeEnvironment;
  connection: NetworkConnection;
  settlementWindow: number;
}): Promise<AddressBook> {
  const { hre, connection, settlementWindow } = parameters;
  const provider = connection.ethers.provider as unknown as Provider;
  const chainId = Number((await provider.getNetwork()).chainId);
  await discardStaleJournal({
    provider,
    chainId,
    ignitionFolder: hre.config.paths.ignition,
  });

  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) {
    throw new BaseError({
      code: "deploy.noAccount",
      message: `network ${connection.networkName} has no account: set HACA_DEPLOYER_KEY`,
    });
  }
  const { accessManager, modelRegistry, inferenceSettlement } = await connection.ignition.deploy(
    coreModule,
    { parameters: { Core: { settlementWindow: BigInt(settlementWindow) } } },
  );

  const entry = async (contract: Contract, constructorArguments: string[]) => {
    const address = await contract.getAddress();
    const creation = await findCreation({ provider, address, chainId, hre });
    return {
      address,
      block: creation.block,
      transaction: creation.transaction,
      constructorArguments,
      codeHash: keccak256(await provider.getCode(address)),
    };
  };

  return {
    format: 1,
    chainId,
    network: connection.networkName,
    gitCommit: execFileSync("git", ["rev-parse", "HEAD"], { cwd: hre.config.paths.root })
      .toString()
      .trim(),
    compiler: compilerSettings(hre),
    contracts: {
      AccessManager: await entry(accessManager, [deployer.address]),
      ModelRegistry: await entry(modelRegistry, []),
      InferenceSettlement: await entry(inferenceSettlement, [
        await accessManager.getAddress(),
        await modelRegistry.getAddress(),
        String(settlementWindow),
      ]),
    },
    parameters: { settlementWindow },
    models: [],
  };
}
