import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import { listTransactions } from "@nomicfoundation/ignition-core";
import type { Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

/** The transaction and block that created a contract, from Ignition's journal and the chain's receipt. */
export async function findCreation(parameters: {
  hre: HardhatRuntimeEnvironment;
  provider: Provider;
  chainId: number;
  address: string;
}): Promise<{ transaction: string; block: number }> {
  const { hre, provider, chainId, address } = parameters;
  const folder = join(hre.config.paths.ignition, "deployments", `chain-${chainId}`);
  const transactions = await listTransactions(folder, new HardhatArtifactResolver(hre.artifacts));
  const creation = transactions.find((transaction) => transaction.address === address);
  const receipt =
    creation === undefined ? null : await provider.getTransactionReceipt(creation.txHash);
  if (receipt === null) {
    throw new BaseError({
      code: "deploy.creationUnknown",
      message: `the transaction that created ${address} is not in the journal ${folder}`,
    });
  }
  return { transaction: receipt.hash, block: receipt.blockNumber };
}
