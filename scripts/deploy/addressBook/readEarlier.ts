import { existsSync } from "node:fs";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, type Provider } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { isDevelopmentChain } from "../../lib/connect.ts";

/** The first of what `IModelRegistry.settlementData` returns; the status of a version that was never published. */
const STATUS_VIEW = "function settlementData(bytes32 versionId) view returns (uint8 status)";
const UNKNOWN = 0n;

/**
 * The address book of an earlier deployment, if the chain still has all of its contracts: a development chain that
 * restarted has not. One of a development chain that cannot be read, an old format for instance, is as good as none;
 * one of another chain is an error.
 */
export async function readEarlier(parameters: {
  connection: NetworkConnection;
  path: string;
  chainId: number;
}): Promise<AddressBook | undefined> {
  const { connection, path, chainId } = parameters;
  if (!existsSync(path)) return undefined;
  let book: AddressBook;
  try {
    book = readAddressBook(path, chainId);
  } catch (error) {
    const isOther = error instanceof BaseError && error.code === "addressBook.otherChain";
    if (isDevelopmentChain(chainId) && !isOther) return undefined;
    throw error;
  }
  const { provider } = connection.ethers;
  for (const entry of Object.values(book.contracts)) {
    if (entry !== undefined && (await provider.getCode(entry.address)) === "0x") return undefined;
  }
  if (!isDevelopmentChain(chainId)) return book;
  return { ...book, models: await knownModels(book, provider as unknown as Provider) };
}

/** A development chain that restarted has its contracts at the same addresses again, but not the models. */
async function knownModels(book: AddressBook, provider: Provider): Promise<AddressBook["models"]> {
  const registry = new Contract(book.contracts.ModelRegistry.address, [STATUS_VIEW], provider);
  const known: AddressBook["models"] = [];
  for (const model of book.models) {
    if ((await registry.getFunction("settlementData")(model.versionId)) !== UNKNOWN) {
      known.push(model);
    }
  }
  return known;
}
