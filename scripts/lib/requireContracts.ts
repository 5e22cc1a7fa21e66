import { type AddressBook, addressBookPath } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { keccak256, type Provider } from "ethers";

/**
 * Makes sure that the chain which answers is the one that the address book tells of: a development chain that was
 * restarted has no contracts any more, or others at the same addresses. Error: `chain.notDeployed`.
 */
export async function requireContracts(parameters: {
  book: AddressBook;
  provider: Pick<Provider, "getCode">;
  /** names in the address book; those that are not in it are left out */
  names: readonly string[];
}): Promise<void> {
  const { book, provider, names } = parameters;
  const contracts: Readonly<Record<string, { address: string; codeHash: string } | undefined>> =
    book.contracts;
  for (const name of names) {
    const entry = contracts[name];
    if (entry === undefined) continue;
    const code = await provider.getCode(entry.address);
    if (code !== "0x" && keccak256(code) === entry.codeHash) continue;
    const found = code === "0x" ? "has no" : "has something other than the";
    throw new BaseError({
      code: "chain.notDeployed",
      message:
        `chain ${book.chainId} ${found} ${name} of ${addressBookPath(book.chainId)} at ${entry.address}: ` +
        "deploy first, or use this chain's address book",
    });
  }
}
