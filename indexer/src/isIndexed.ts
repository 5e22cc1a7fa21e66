import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { readSettings } from "../launch/readSettings.ts";

const { contracts } = readAddressBook(readSettings(process.env).addressBook);

/** Whether the address book has the contract. Ponder refuses handlers for contracts that its config lacks. */
export function isIndexed(name: keyof AddressBook["contracts"]): boolean {
  return contracts[name] !== undefined;
}
