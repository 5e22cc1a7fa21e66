import { BaseError } from "@haca/protocol/baseError";
import { ContractFactory, isHexString, type JsonRpcSigner, type Provider } from "ethers";
import type { Deployment } from "./actions/action.ts";
import { refuse } from "./actions/teeRegistry.ts";

/** What a transaction has to carry to create a contract. */
export async function creationData(
  deployment: Pick<Deployment, "contract" | "constructorArguments">,
): Promise<string> {
  const { default: hre } = await import("hardhat");
  const { abi, bytecode } = await hre.artifacts.readArtifact(deployment.contract);
  const factory = new ContractFactory(abi, bytecode);
  return (await factory.getDeployTransaction(...deployment.constructorArguments)).data;
}

/** Whether the code at an address is what this repository's source and these arguments give. */
export async function isCodeOf(
  parameters: Pick<Deployment, "contract" | "constructorArguments" | "address"> & {
    provider: Provider;
  },
): Promise<boolean> {
  const { provider, address } = parameters;
  const expected = await provider.call({ data: await creationData(parameters) });
  return expected !== "0x" && expected === (await provider.getCode(address));
}

/**
 * The block of the transaction that created a contract, with this repository's code and the right arguments. Error:
 * `governance.badArgument`.
 * @param parameters.described what it has to be, in words
 */
export async function requireCreation(parameters: {
  provider: Provider;
  deployment: Deployment;
  transaction: string;
  described: string;
}): Promise<number> {
  const { deployment, described, provider, transaction } = parameters;
  if (!isHexString(transaction, 32)) throw refuse(`${transaction} is no transaction hash`);
  const receipt = await provider.getTransactionReceipt(transaction);
  if (receipt?.contractAddress !== deployment.address) {
    throw refuse(`transaction ${transaction} did not create ${deployment.address}`);
  }
  const sent = await provider.getTransaction(transaction);
  if (sent?.data !== (await creationData(deployment))) {
    throw refuse(`${deployment.address} is not this repository's ${described}`);
  }
  return receipt.blockNumber;
}

/**
 * Deploys what a proposal needs. Error: `governance.movedOn` if the account has sent something else meanwhile, so
 * that a contract landed elsewhere than the proposal says.
 */
export async function deployBeforehand(parameters: {
  deployments: readonly Deployment[];
  signer: Pick<JsonRpcSigner, "sendTransaction">;
}): Promise<void> {
  const { deployments, signer } = parameters;
  for (const deployment of deployments) {
    const sent = await signer.sendTransaction({ data: await creationData(deployment) });
    const receipt = await sent.wait();
    if (receipt?.contractAddress !== deployment.address) {
      throw new BaseError({
        code: "governance.movedOn",
        message: `${deployment.contract} landed at ${receipt?.contractAddress} instead of ${deployment.address}: another transaction of the account came between; run the command again`,
      });
    }
    console.log(`  ${deployment.contract} ${deployment.address}: transaction ${receipt.hash}`);
  }
}
