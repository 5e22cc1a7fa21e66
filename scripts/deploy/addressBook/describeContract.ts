import type { AddressBook } from "@haca/protocol/addressBook";
import { keccak256, type Provider } from "ethers";
import type { Creation } from "../plan/runModule.ts";

export type ContractEntry = AddressBook["contracts"]["AccessManager"];

/** A contract's entry in the address book. */
export async function describeContract(parameters: {
  provider: Provider;
  creations: ReadonlyMap<string, Creation>;
  address: string;
  constructorArguments: string[];
  /** the contract that created it, if it was not a transaction of the deployment itself */
  creator?: string;
}): Promise<ContractEntry> {
  const { provider, creations, address, constructorArguments, creator = address } = parameters;
  const creation = creations.get(creator);
  if (creation === undefined) throw new Error(`no transaction of the deployment made ${creator}`);
  const codeHash = keccak256(await provider.getCode(address));
  const { block, transaction } = creation;
  return { address, block, transaction, constructorArguments, codeHash };
}
