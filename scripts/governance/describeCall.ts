import type { AddressBook } from "@haca/protocol/addressBook";
import type { Interface } from "ethers";

/** One call of a proposal, decoded: `InferenceSettlement.setSettlementWindow(86400)`, or raw where it is not known. */
export function describeCall(parameters: {
  book: AddressBook;
  /** interface of a contract of the project by its name */
  interfaceOf: (name: string) => Interface | undefined;
  target: string;
  data: string;
}): string {
  const { book, interfaceOf, target, data } = parameters;
  const name = nameOf(book, target);
  const parsed =
    name === undefined ? null : (interfaceOf(name)?.parseTransaction({ data }) ?? null);
  if (name === undefined || parsed === null) {
    return `${target}: unknown call ${data}`;
  }
  const values = parsed.fragment.inputs.map(
    (input, index) => `${input.name || index}: ${String(parsed.args[index])}`,
  );
  return `${name}.${parsed.name}(${values.join(", ")})`;
}

function nameOf(book: AddressBook, target: string): string | undefined {
  const isTarget = (address: string | undefined): boolean =>
    address?.toLowerCase() === target.toLowerCase();
  const entry = Object.entries(book.contracts).find(([, contract]) => isTarget(contract?.address));
  if (entry !== undefined) return entry[0];
  return book.grants?.some(({ vault }) => isTarget(vault)) ? "VestingVault" : undefined;
}
