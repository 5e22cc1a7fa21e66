import { readAddressBook } from "@haca/protocol/addressBook";
import type { ListedName } from "@haca/protocol/contracts";
import { readSettings } from "../launch/readSettings.ts";

const { contracts } = readAddressBook(readSettings(process.env).addressBook);

/** Whether the address book has the contract. Ponder refuses handlers for contracts that its config lacks. */
export function isIndexed(name: ListedName): boolean {
  return contracts[name] !== undefined;
}
