import type { AddressBook } from "@haca/protocol/addressBook";
import { decodeText } from "@haca/protocol/chainText";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { dataSlice, type FunctionFragment, Interface, type ParamType } from "ethers";

/** Interfaces by the contracts' names, with every function that they have: generated ABIs may be of less. */
export async function loadInterfaces(): Promise<(name: string) => Interface | undefined> {
  const { default: hre } = await import("hardhat");
  const interfaces = new Map<string, Interface>();
  for (const { name } of CONTRACT_ROWS) {
    interfaces.set(name, new Interface((await hre.artifacts.readArtifact(name)).abi));
  }
  return (name) => interfaces.get(name);
}

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
  const fragment =
    name === undefined ? null : (interfaceOf(name)?.getFunction(data.slice(0, 10)) ?? null);
  const values = fragment === null ? undefined : valuesOf(fragment, data);
  if (fragment === null || values === undefined) return `${target}: unknown call ${data}`;
  const words = fragment.inputs.map(
    (input, index) => `${input.name || index}: ${show(input, values[index])}`,
  );
  return `${name}.${fragment.name}(${words.join(", ")})`;
}

/** Arguments of a call; undefined where the data is not what the function takes. */
function valuesOf(fragment: FunctionFragment, data: string): unknown[] | undefined {
  try {
    return [...decodeText(fragment.inputs, dataSlice(data, 4))];
  } catch {
    return undefined;
  }
}

/** Text in quotes, so that no name can pass for another argument. */
function show(type: ParamType, value: unknown): string {
  if (type.type === "string") return JSON.stringify(value);
  if (type.isArray()) {
    const { arrayChildren } = type;
    return `[${[...(value as unknown[])].map((item) => show(arrayChildren, item)).join(", ")}]`;
  }
  if (type.isTuple()) {
    const items = [...(value as unknown[])];
    return `(${type.components.map((part, index) => show(part, items[index])).join(", ")})`;
  }
  return String(value);
}

function nameOf(book: AddressBook, target: string): string | undefined {
  const isTarget = (address: string | undefined): boolean =>
    address?.toLowerCase() === target.toLowerCase();
  const entry = Object.entries(book.contracts).find(([, contract]) => isTarget(contract?.address));
  if (entry !== undefined) return entry[0];
  return book.grants?.some(({ vault }) => isTarget(vault)) ? "VestingVault" : undefined;
}
