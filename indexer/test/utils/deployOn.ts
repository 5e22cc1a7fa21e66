import type { Abi, Hex } from "viem";
import { encodeDeployData } from "viem";
import { readArtifact } from "../../../testing/artifacts.ts";
import { type Deployed, deployPlan } from "../../../testing/deployPlan.ts";
import type { Chain } from "./startChain.ts";

/** Carries out a part of the project's deployment, from the first account. */
export const deployOn = <Name extends string>(
  chain: Chain,
  build: Parameters<typeof deployPlan<Name>>[0]["build"],
): Promise<Record<Name, Deployed>> =>
  deployPlan({
    deployer: chain.accounts[0],
    send: async ({ to, data }) => {
      const receipt = await chain.send({
        data: data as Hex,
        ...(to === undefined ? {} : { to: to as Hex }),
      });
      return {
        transaction: receipt.transactionHash,
        block: Number(receipt.blockNumber),
        created: receipt.contractAddress ?? undefined,
      };
    },
    call: async ({ to, data }) =>
      (await chain.client.call({ to: to as Hex, data: data as Hex })).data ?? "0x",
    build,
  });

/** Deploys one contract more; returns its address. */
export async function deployOne(parameters: {
  chain: Chain;
  name: string;
  arguments: readonly unknown[];
}): Promise<Hex> {
  const { abi, bytecode } = readArtifact(parameters.name);
  const args = [...parameters.arguments];
  const data = encodeDeployData({ abi: abi as Abi, bytecode, args });
  const { contractAddress } = await parameters.chain.send({ data });
  if (!contractAddress) throw new Error(`${parameters.name} was not created`);
  return contractAddress;
}
