import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import { listTransactions } from "@nomicfoundation/ignition-core";
import type { Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { isDevelopmentChain } from "./developmentChain.ts";

/**
 * A development chain forgets everything when it restarts, and Ignition's journal of the chain before it
 * would make the deployment believe that contracts exist. The journal goes when the chain does not know the
 * transactions in it. Journals of real chains are never touched.
 */
export async function discardStaleJournal(parameters: {
  hre: HardhatRuntimeEnvironment;
  provider: Provider;
  chainId: number;
}): Promise<void> {
  const { hre, provider, chainId } = parameters;
  if (!isDevelopmentChain(chainId)) return;
  const folder = join(hre.config.paths.ignition, "deployments", `chain-${chainId}`);
  if (existsSync(join(folder, "journal.jsonl"))) {
    const transactions = await listTransactions(folder, new HardhatArtifactResolver(hre.artifacts));
    for (const { txHash } of transactions) {
      if ((await provider.getTransaction(txHash)) !== null) return;
    }
  }
  rmSync(folder, { recursive: true, force: true });
}
