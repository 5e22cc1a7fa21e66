import { writeAddressBook } from "@haca/protocol/addressBook";
import type { Hex } from "viem";
import { addressBookOf } from "../../../testing/addressBook.ts";
import type { Deployed } from "../../../testing/deployPlan.ts";
import type { Chain } from "./startChain.ts";

/** Writes the address book of contracts on the chain to `path`. */
export async function writeBook(parameters: {
  chain: Chain;
  path: string;
  contracts: Readonly<Record<string, Deployed>>;
}): Promise<void> {
  const { chain, path, contracts } = parameters;
  const book = await addressBookOf({
    ...{ chainId: chain.client.chain.id, network: "localhost" },
    contracts: Object.values(contracts),
    getCode: async (address) => (await chain.client.getCode({ address: address as Hex })) ?? "0x",
    parameters: { settlementWindow: 1 },
  });
  writeAddressBook({ path, book });
}

export const addressOf = ({ address }: Deployed): Hex => address as Hex;
