import { type Interface, isAddress, ZeroAddress } from "ethers";
import { printable } from "../../lib/words.ts";
import type { CompiledContract } from "../compiled/compiledContract.ts";

/** What the accounts of a deployment are called, and the interfaces of its contracts. */
export class Names {
  readonly #names = new Map<string, string>();
  readonly #contracts = new Map<string, CompiledContract>();

  add(address: string, name: string): void {
    if (address !== ZeroAddress && !this.#names.has(address)) this.#names.set(address, name);
  }

  addContract(address: string, contract: CompiledContract): void {
    this.add(address, contract.name);
    this.#contracts.set(address, contract);
  }

  interfaceOf(address: string): Interface | undefined {
    return this.#contracts.get(address)?.abi;
  }

  /** `TEERegistry`, or the address where it has no name. */
  short(address: string): string {
    return this.#names.get(address) ?? address;
  }

  /** `TEERegistry 0x…` */
  of(address: string): string {
    if (address === ZeroAddress) return "nobody";
    const name = this.#names.get(address);
    return name === undefined ? address : `${name} ${address}`;
  }

  /** A value of a call or an event. */
  value(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.value(item)).join(", ")}]`;
    const text = String(value);
    return isAddress(text) ? this.of(text) : printable(text);
  }
}

/** Addresses as a list without order, for comparisons. */
export const listOf = (names: Names, accounts: Iterable<string>): string =>
  [...new Set(accounts)]
    .map((account) => names.of(account))
    .sort()
    .join(", ") || "nobody";
