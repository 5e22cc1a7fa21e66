import type { AddressBook } from "@haca/protocol/addressBook";
import type { ListedName } from "@haca/protocol/contracts";
import { Interface, type Provider } from "ethers";
import { addressOf } from "../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../lib/contracts.ts";

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

/** `setSettlementWindow(uint64)` */
export const signatureOf = (call: Pick<Call, "fragment">): string =>
  new Interface([call.fragment]).getFunction(nameOfCall(call))?.format("sighash") ?? "";

export const encodeCall = (call: Call): string =>
  new Interface([call.fragment]).encodeFunctionData(nameOfCall(call), [...call.arguments]);

/** A contract of the address book, for reading. Error: `chain.notDeployed`. */
export const deployed = <Name extends ListedName>(
  { book, provider }: { book: AddressBook; provider: Provider },
  name: Name,
): ContractOf<Name> => contractAt({ name, address: addressOf(book, name), runner: provider });
