import { BaseError } from "@haca/protocol/baseError";
import { concatHex, keccak, wordOf } from "../bytes.ts";

/** Where a contract keeps a variable, or a member of a struct from the struct's first slot on, as solc says it. */
export type StoragePlace = {
  /** the variable's name, or the struct's and its member's: `ITEERegistryTypes.Node.operator` */
  name: string;
  /** as Solidity writes it, without the names of a mapping's keys */
  type: string;
  /** decimal digits; of the slot's bytes from the right, and how many */
  slot: string;
  offset: string;
  bytes: string;
};

/** Of the contracts whose storage a witness shows. */
export type StorageLayout = {
  settlement: readonly StoragePlace[];
  teeRegistry: readonly StoragePlace[];
};

type Place = { slot: bigint; offset: bigint; bytes: bigint };

/** @throws BaseError `witness.layout`, where it has no such variable, or one of another type */
export function placeIn(layout: readonly StoragePlace[], name: string, type: string): Place {
  const [found, another] = layout.filter((place) => place.name === name);
  if (found?.type === type && another === undefined) {
    const { bytes, offset, slot } = found;
    return { slot: BigInt(slot), offset: BigInt(offset), bytes: BigInt(bytes) };
  }
  throw new BaseError({
    code: "witness.layout",
    message: `the deployment's storage has no ${type} ${name}`,
  });
}

/** The part of a word that a place is. */
export const fieldOf = (word: bigint, { bytes, offset }: Place): bigint =>
  (word >> (8n * offset)) & ((1n << (8n * bytes)) - 1n);

/** Slot of a mapping's value; of a mapping in it with further keys. */
export const slotIn = (slot: bigint, ...keys: readonly string[]): bigint =>
  keys.reduce((at, key) => BigInt(keccak(concatHex(key, wordOf(at)))), slot);

/** First slot of an array's entries. */
export const entriesAt = (slot: bigint): bigint => BigInt(keccak(wordOf(slot)));
