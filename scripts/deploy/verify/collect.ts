import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { ContractName } from "@haca/protocol/contracts";
import { AbiCoder, getCreateAddress } from "ethers";
import { decodeLogs } from "../check/events.ts";
import {
  type CompiledContract,
  type CompiledName,
  compiledContract,
} from "../compiled/compiledContract.ts";
import { firstDifference, matchCode } from "../compiled/matchCode.ts";
import type { ChainReader } from "../reader/chainReader.ts";
import { readLogs } from "../reader/logs.ts";

/** A contract on a chain, with what an explorer needs to compile it and compare. */
export type Subject = {
  contract: CompiledContract;
  address: string;
  /** ABI-encoded, 0x and hex */
  constructorArguments: string;
  /** that created it, or what created it */
  transaction: string;
};

/** Made by another contract, with the views that tell what their constructors got. */
const MADE_BY_OTHERS: Readonly<Partial<Record<CompiledName, readonly string[]>>> = {
  VestingFactory: ["token() view returns (address)"],
  VestingVault: ["token() view returns (address)"],
  MerkleAirdrop: [
    "token() view returns (address)",
    "root() view returns (bytes32)",
    "total() view returns (uint256)",
    "deadline() view returns (uint256)",
    "leftoversTo() view returns (address)",
  ],
  ChannelGate: ["PAGES() view returns (address)", "BATCH() view returns (address)"],
  CommerceOperator: [
    "PAGES() view returns (address)",
    "COMMERCE() view returns (address)",
    "ERC3009_COLLECTOR() view returns (address)",
    "PERMIT2_COLLECTOR() view returns (address)",
  ],
  FeedReader: ["FEED_ID() view returns (bytes32)", "decimals() view returns (uint8)"],
};

/**
 * Every contract of an address book, the code behind its vaults, its escrow's facilitators, its gates of channels and its operators
 * of commerce payments, and the readers of its feeds. A contract whose code is not what this
 * repository's sources give cannot be verified with them: error `verify.otherCode`.
 */
export async function collectSubjects(parameters: {
  reader: ChainReader;
  book: AddressBook;
}): Promise<Subject[]> {
  const { reader, book } = parameters;
  const entries: [CompiledName, string, string][] = Object.entries(book.contracts).flatMap(
    ([name, entry]) =>
      entry === undefined ? [] : [[name as ContractName, entry.address, entry.transaction]],
  );
  const { VestingFactory } = book.contracts;
  if (VestingFactory !== undefined) {
    const view = "function implementation() view returns (address)";
    const [vault] = await reader.view(VestingFactory.address, view);
    entries.push(["VestingVault", vault, VestingFactory.transaction]);
  }
  entries.push(...(await readersOf(reader, book)));
  const { ChannelGates, CommerceOperators, InferenceEscrow } = book.contracts;
  if (InferenceEscrow !== undefined) {
    entries.push(["JobFacilitator", firstOf(InferenceEscrow), InferenceEscrow.transaction]);
  }
  if (ChannelGates !== undefined) {
    entries.push(["ChannelGate", firstOf(ChannelGates), ChannelGates.transaction]);
  }
  if (CommerceOperators !== undefined) {
    const { transaction } = CommerceOperators;
    entries.push(["CommerceOperator", firstOf(CommerceOperators), transaction]);
  }
  const subjects: Subject[] = [];
  for (const [name, address, transaction] of entries) {
    const contract = await compiledContract(name);
    const code = await reader.code(address);
    if (matchCode(code, contract) === undefined) {
      throw new BaseError({
        code: "verify.otherCode",
        message: `${name} ${address} is not what this repository's sources give (${code === "0x" ? "there is no contract" : firstDifference(code, contract)}): check out the commit that the address book names, ${book.gitCommit}`,
      });
    }
    const constructorArguments = await argumentsOf({
      reader,
      book,
      contract,
      address,
      transaction,
    });
    subjects.push({ contract, address, constructorArguments, transaction });
  }
  return subjects;
}

/** Readers of all feeds, ended ones too: consumers look at the sources of those. */
async function readersOf(
  reader: ChainReader,
  book: AddressBook,
): Promise<[CompiledName, string, string][]> {
  const { DataFeeds } = book.contracts;
  if (DataFeeds === undefined) return [];
  const { abi } = await compiledContract("DataFeeds");
  const logs = await readLogs({
    ...{ reader, address: DataFeeds.address, from: DataFeeds.block },
    to: (await reader.block("latest")).number,
    topics: [abi.getEvent("FeedCreated")?.topicHash ?? ""],
  });
  return decodeLogs("DataFeeds", abi, logs).map(({ args, transaction }) => [
    ...(["FeedReader", args.reader, transaction] as const),
  ]);
}

/** The code behind the clones of a contract: its constructor makes it first. */
const firstOf = (maker: { address: string }): string =>
  getCreateAddress({ from: maker.address, nonce: 1 });

async function argumentsOf(parameters: {
  reader: ChainReader;
  book: AddressBook;
  contract: CompiledContract;
  address: string;
  transaction: string;
}): Promise<string> {
  const { reader, book, contract, address, transaction } = parameters;
  const { inputs } = contract.abi.deploy;
  const encode = (values: readonly unknown[]): string =>
    AbiCoder.defaultAbiCoder().encode(inputs, values);
  if (inputs.length === 0) return "0x";
  const { GenesisDistribution, TimelockController } = book.contracts;
  if (contract.name === "OPG") {
    return encode([GenesisDistribution?.address, TimelockController?.address]);
  }
  if (contract.name === "JobFacilitator") {
    const view = "function PROXY() view returns (address)";
    return encode(await reader.view(book.contracts.InferenceEscrow?.address ?? "", view));
  }
  const views = MADE_BY_OTHERS[contract.name];
  if (views !== undefined) {
    const values: unknown[] = [];
    for (const view of views) values.push((await reader.view(address, `function ${view}`))[0]);
    return encode(values);
  }
  const input = (await reader.transaction(transaction))?.input.toLowerCase();
  if (input?.startsWith(contract.creationCode.toLowerCase()) !== true) {
    throw new BaseError({
      code: "verify.noCreation",
      message: `transaction ${transaction}, which the address book names, did not create ${contract.name} from this repository's sources`,
    });
  }
  return `0x${input.slice(contract.creationCode.length)}`;
}
