import type { NetworkConnection } from "hardhat/types/network";
import { type Deployed, deployPlan } from "../../../testing/deployPlan.ts";

/** Carries out a part of the project's deployment, from the chain's first account. Fails as its transactions do. */
export async function deployOn<Name extends string>(
  { ethers }: NetworkConnection,
  build: Parameters<typeof deployPlan<Name>>[0]["build"],
): Promise<Record<Name, Deployed>> {
  const [deployer] = await ethers.getSigners();
  if (deployer === undefined) throw new Error("no accounts");
  return deployPlan({
    deployer: deployer.address,
    send: async (payload) => {
      const receipt = await (await deployer.sendTransaction(payload)).wait();
      if (receipt === null) throw new Error("no receipt");
      const { hash, blockNumber, contractAddress } = receipt;
      return { transaction: hash, block: blockNumber, created: contractAddress ?? undefined };
    },
    call: (payload) => ethers.provider.call(payload),
    build,
  });
}
