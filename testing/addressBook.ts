import { type AddressBook, addressBookSchema } from "@haca/protocol/addressBook";
import { keccak256 } from "ethers";
import type { Deployed } from "./deployPlan.ts";

/** The address book of contracts on a test's chain, as a deployment would write it. */
export async function addressBookOf(parameters: {
  chainId: number;
  network: string;
  contracts: readonly Deployed[];
  getCode: (address: string) => Promise<string>;
  parameters: AddressBook["parameters"];
}): Promise<AddressBook> {
  const { chainId, network, contracts, getCode } = parameters;
  const entries = contracts.map(async ({ name, address, block, transaction }) => {
    const codeHash = keccak256(await getCode(address));
    return [name, { address, block, transaction, constructorArguments: [], codeHash }] as const;
  });
  return addressBookSchema.parse({
    format: 1,
    chainId,
    network,
    gitCommit: "",
    compiler: { version: "", evmVersion: "", optimizerRuns: 0 },
    contracts: Object.fromEntries(await Promise.all(entries)),
    parameters: parameters.parameters,
    models: [],
  });
}
