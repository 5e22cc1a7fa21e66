import { existsSync } from "node:fs";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { ListedName } from "@haca/protocol/contracts";
import type { Provider } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { isDevelopmentChain } from "../../lib/connect.ts";
import { contractAt } from "../../lib/contracts.ts";

/** Status of a version that was never published. */
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
  const { address } = book.contracts.ModelRegistry;
  const registry = contractAt({ name: "ModelRegistry", address, runner: provider });
  const known: AddressBook["models"] = [];
  for (const model of book.models) {
    const { status } = await registry.settlementData(model.versionId);
    if (status !== UNKNOWN) known.push(model);
  }
  return known;
}

/**
 * What an earlier address book knows and a new run of the deployment does not: the models, if the registry is the
 * same contract; which commit and compiler made the contracts, if they all are the same; and token and governance,
 * if only the core was asked for and is the same.
 */
export function keepEarlier(parameters: { book: AddressBook; earlier: AddressBook }): AddressBook {
  const { book, earlier } = parameters;
  const isSame = (name: ListedName): boolean => {
    const [before, now] = [earlier.contracts[name], book.contracts[name]];
    return before?.address === now?.address && before?.transaction === now?.transaction;
  };
  const names = Object.keys(book.contracts) as ListedName[];
  const models = isSame("ModelRegistry") ? earlier.models : book.models;
  if (!names.every(isSame)) return { ...book, models };
  const { gitCommit, compiler } = earlier;
  return {
    ...book,
    ...{ gitCommit, compiler, models },
    contracts: { ...earlier.contracts, ...book.contracts },
    parameters: { ...earlier.parameters, ...book.parameters },
    ...(earlier.grants === undefined ? {} : { grants: earlier.grants }),
  };
}
