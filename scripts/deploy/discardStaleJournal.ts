import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Provider } from "ethers";
import { isDevelopmentChain } from "./developmentChain.ts";

/**
 * A development chain forgets everything when it restarts, and Ignition's journal of the chain before it
 * would make the deployment believe that contracts exist. The journal goes when the chain does not know the
 * first contract in it. Journals of real chains are never touched.
 */
export async function discardStaleJournal(parameters: {
  provider: Provider;
  chainId: number;
  ignitionFolder: string;
}): Promise<void> {
  const { provider, chainId, ignitionFolder } = parameters;
  if (!isDevelopmentChain(chainId)) return;
  const folder = join(ignitionFolder, "deployments", `chain-${chainId}`);
  const addressesFile = join(folder, "deployed_addresses.json");
  if (existsSync(addressesFile)) {
    const addresses: Record<string, string> = JSON.parse(readFileSync(addressesFile, "utf8"));
    const first = Object.values(addresses)[0];
    if (first !== undefined && (await provider.getCode(first)) !== "0x") return;
  }
  rmSync(folder, { recursive: true, force: true });
}
