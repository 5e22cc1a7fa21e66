import type { AddressBook } from "@haca/protocol/addressBook";
import { type Hex, keccak256 } from "viem";
import type { Chain } from "./startChain.ts";

/** A receipt of a creation; `contractAddress` may be replaced by that of a contract which the created one made. */
export type Creation = {
  contractAddress?: Hex | null | undefined;
  blockNumber: bigint;
  transactionHash: Hex;
};
type Name = keyof AddressBook["contracts"];
type CoreName = "AccessManager" | "ModelRegistry" | "InferenceSettlement";
export type Creations = { [name in CoreName]: Creation } & { [name in Name]?: Creation };

/** The address book of contracts whose creations are given. */
export async function addressBookOf(parameters: {
  chain: Chain;
  creations: Creations;
}): Promise<AddressBook> {
  const { chain, creations } = parameters;
  const entry = async (creation: Creation) => {
    const address = addressOf(creation);
    const code = (await chain.client.getCode({ address })) ?? "0x";
    return {
      address,
      block: Number(creation.blockNumber),
      transaction: creation.transactionHash,
      constructorArguments: [],
      codeHash: keccak256(code),
    };
  };
  const { AccessManager, ModelRegistry, InferenceSettlement, ...others } = creations;
  const entries = Object.entries(others).map(
    async ([name, creation]) => [name, await entry(creation)] as const,
  );
  return {
    format: 1,
    chainId: chain.client.chain.id,
    network: "localhost",
    gitCommit: "",
    compiler: { version: "", evmVersion: "", optimizerRuns: 0 },
    contracts: {
      AccessManager: await entry(AccessManager),
      ModelRegistry: await entry(ModelRegistry),
      InferenceSettlement: await entry(InferenceSettlement),
      ...Object.fromEntries(await Promise.all(entries)),
    },
    parameters: { settlementWindow: 1 },
    models: [],
  };
}

export function addressOf(creation: Creation): Hex {
  if (!creation.contractAddress) {
    throw new Error(`transaction ${creation.transactionHash} created no contract`);
  }
  return creation.contractAddress;
}
