import { join } from "node:path";
import { abis, channelGatesAbi, commerceOperatorsAbi, vestingFactoryAbi } from "@haca/protocol/abi";
import { readAddressBook } from "@haca/protocol/addressBook";
import { CONTRACT_ROWS, type IndexedName, type ListedName } from "@haca/protocol/contracts";
import { createConfig, factory } from "ponder";
import { getAbiItem, getAddress, zeroAddress } from "viem";
import { readSettings } from "./launch/readSettings.ts";
import { slicingTransport } from "./launch/slicingTransport.ts";

const LOCAL_CHAIN_ID = 31337;
const CHAIN = "settlement";
/** The contract of the address book that a source comes from, where it is not its own. */
const NEEDED: Record<string, string> = {
  VestingVault: "VestingFactory",
  ChannelGate: "ChannelGates",
  CommerceOperator: "CommerceOperators",
  PageBlobs: "PageSettlement",
};
/** Blocks between two looks for blobs that were missing: a minute on Base. */
const BLOB_INTERVAL = 30;

const settings = readSettings(process.env);
const book = readAddressBook(settings.addressBook);
const isLocal = settings.chainId === LOCAL_CHAIN_ID;

/** All contracts there can be, so that handlers are typed; those that the address book lacks are left out below. */
const contracts = {
  ...sources(),
  InferenceSettlement: {
    abi: abis.InferenceSettlement,
    ...at("InferenceSettlement"),
    includeTransactionReceipts: true as const,
  },
  PageSettlement: {
    abi: abis.PageSettlement,
    ...at("PageSettlement"),
    includeTransactionReceipts: true as const,
  },
  VestingVault: {
    abi: abis.VestingVault,
    ...at("VestingFactory"),
    address: factory({
      address: at("VestingFactory").address,
      event: getAbiItem({ abi: vestingFactoryAbi, name: "GrantCreated" }),
      parameter: "vault",
    }),
  },
  ChannelGate: {
    abi: abis.ChannelGate,
    ...at("ChannelGates"),
    address: factory({
      address: at("ChannelGates").address,
      event: getAbiItem({ abi: channelGatesAbi, name: "GateOpened" }),
      parameter: "gate",
    }),
  },
  CommerceOperator: {
    abi: abis.CommerceOperator,
    ...at("CommerceOperators"),
    address: factory({
      address: at("CommerceOperators").address,
      event: getAbiItem({ abi: commerceOperatorsAbi, name: "OperatorCreated" }),
      parameter: "operator",
    }),
  },
};

const blocks = {
  // Blobs of pages that could not be read are tried again with these blocks. Only from now on: what happens to a page
  // earlier is tried when its event is read.
  PageBlobs: {
    chain: CHAIN,
    interval: isLocal ? 1 : BLOB_INTERVAL,
    startBlock: "latest",
  },
} as const;

export default createConfig({
  database:
    settings.databaseUrl === undefined
      ? { kind: "pglite", directory: join(settings.dataDirectory, databaseSchema()) }
      : { kind: "postgres", connectionString: settings.databaseUrl },
  chains: {
    [CHAIN]: {
      id: settings.chainId,
      rpc: slicingTransport(settings.rpcUrl),
      // Milliseconds. A local chain mines at once and costs nothing to ask.
      pollingInterval: isLocal ? 250 : 1000,
      // A local chain begins anew under the same id: nothing fetched from it may outlive the process.
      disableCache: isLocal,
    },
  },
  contracts: indexed(contracts),
  blocks: indexed(blocks),
});

type Sources = {
  [Name in Exclude<IndexedName, "ChannelGate" | "CommerceOperator" | "VestingVault">]: {
    abi: (typeof abis)[Name];
  } & ReturnType<typeof at>;
};

/** What the table of contracts says is indexed, and the address book where it lies. */
function sources(): Sources {
  const rows = CONTRACT_ROWS.filter(({ isIndexed, isUnlisted }) => isIndexed && !isUnlisted);
  return Object.fromEntries(
    rows.map(({ name }) => [name, { abi: abis[name], ...at(name as ListedName) }]),
  ) as unknown as Sources;
}

/** Where a contract lies and since when. The zero address of a contract that is not there is never used. */
function at(name: ListedName) {
  const { address, block } = book.contracts[name] ?? { address: zeroAddress, block: 0 };
  return { chain: CHAIN, address: getAddress(address), startBlock: block } as const;
}

/** Leaves out what the address book lacks. The type keeps it: `isIndexed` guards the handlers. */
function indexed<T extends object>(all: T): T {
  const isThere = ([name]: [string, unknown]) => (NEEDED[name] ?? name) in book.contracts;
  return Object.fromEntries(Object.entries(all).filter(isThere)) as T;
}

/** One folder per schema: a database never holds what two chains with the same id said. */
function databaseSchema(): string {
  const name = process.env.DATABASE_SCHEMA;
  if (name === undefined || name === "") {
    throw new Error("DATABASE_SCHEMA is not set: start the indexer with launch/cli.ts");
  }
  return name;
}
