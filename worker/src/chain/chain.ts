import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { Interface, type JsonRpcProvider, type TypedDataDomain } from "ethers";

/** One deployment on one chain, as the roles see it. */
export type Chain = {
  provider: JsonRpcProvider;
  chainId: bigint;
  genesisHash: string;
  settlement: string;
  modelRegistry: string;
  /** EIP-712 domain of the settlement contract */
  domain: TypedDataDomain;
};

export const settlementInterface = new Interface(inferenceSettlementAbi);
export const registryInterface = new Interface(modelRegistryAbi);

/** Calls a view and returns its results in order. Errors are those of the provider. */
export async function callView(parameters: {
  chain: Chain;
  contract: "settlement" | "modelRegistry";
  name: string;
  values: readonly unknown[];
  /** number of the block whose state is asked; the latest where absent */
  block?: number;
}): Promise<readonly unknown[]> {
  const { block, chain, contract, name, values } = parameters;
  const abi = contract === "settlement" ? settlementInterface : registryInterface;
  const data = await chain.provider.call({
    to: chain[contract],
    data: abi.encodeFunctionData(name, values),
    ...(block === undefined ? {} : { blockTag: block }),
  });
  return abi.decodeFunctionResult(name, data).toArray();
}
