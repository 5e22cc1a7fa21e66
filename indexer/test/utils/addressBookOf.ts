import type { AddressBook } from "@haca/protocol/addressBook";
import { type Hex, keccak256, type TransactionReceipt } from "viem";
import type { Chain } from "./startChain.ts";

/** The address book of contracts whose creations are given. */
export async function addressBookOf(parameters: {
  chain: Chain;
  creations: { [name in keyof AddressBook["contracts"]]: TransactionReceipt };
}): Promise<AddressBook> {
  const { chain, creations } = parameters;
  const entry = async (receipt: TransactionReceipt) => {
    const address = addressOf(receipt);
    const code = (await chain.client.getCode({ address })) ?? "0x";
    return {
      address,
      block: Number(receipt.blockNumber),
      transaction: receipt.transactionHash,
      constructorArguments: [],
      codeHash: keccak256(code),
    };
  };
  return {
    format: 1,
    chainId: chain.client.chain.id,
    network: "localhost",
    gitCommit: "",
    compiler: { version: "", evmVersion: "", optimizerRuns: 0 },
    contracts: {
      AccessManager: await entry(creations.AccessManager),
      ModelRegistry: await entry(creations.ModelRegistry),
      InferenceSettlement: await entry(creations.InferenceSettlement),
    },
    parameters: { settlementWindow: 1 },
    models: [],
  };
}

export function addressOf(receipt: TransactionReceipt): Hex {
  if (!receipt.contractAddress) {
    throw new Error(`transaction ${receipt.transactionHash} created no contract`);
  }
  return receipt.contractAddress;
}
