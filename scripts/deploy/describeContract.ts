import type { AddressBook } from "@haca/protocol/addressBook";
import { keccak256, type Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { findCreation } from "./findCreation.ts";

export type ContractEntry = AddressBook["contracts"]["AccessManager"];

/** A contract's entry in the address book. */
export async function describeContract(parameters: {
  hre: HardhatRuntimeEnvironment;
  provider: Provider;
  chainId: number;
  address: string;
  constructorArguments: string[];
  /** the contract that created it, if it was not a transaction of the deployment itself */
  creator?: string;
}): Promise<ContractEntry> {
  const { hre, provider, chainId, address, constructorArguments, creator = address } = parameters;
  const { transaction, block } = await findCreation({ hre, provider, chainId, address: creator });
  const codeHash = keccak256(await provider.getCode(address));
  return { address, block, transaction, constructorArguments, codeHash };
}
