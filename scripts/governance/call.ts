import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { Interface } from "ethers";

/** One call that a proposal makes, or that the guardian makes at once. */
export type Call = {
  /** name in the address book, or in the error messages if it is none of the project's contracts */
  contract: string;
  target: string;
  /** human-readable fragment, such as `function setSettlementWindow(uint64 window)` */
  fragment: string;
  arguments: readonly unknown[];
  /** what will change, in plain words */
  words: string;
};

export const nameOfCall = ({ fragment }: Pick<Call, "fragment">): string =>
  /(?<=^function )\w+/.exec(fragment)?.[0] ?? "";

export const encodeCall = (call: Call): string =>
  new Interface([call.fragment]).encodeFunctionData(nameOfCall(call), [...call.arguments]);

/** Address of a contract in the address book. Error: `governance.notDeployed`. */
export function addressOf(book: AddressBook, name: string): string {
  const contracts: Readonly<Record<string, { address: string } | undefined>> = book.contracts;
  const entry = contracts[name];
  if (entry === undefined) {
    throw new BaseError({
      code: "governance.notDeployed",
      message: `${name} is not in the address book of chain ${book.chainId}: deploy it first`,
    });
  }
  return entry.address;
}
