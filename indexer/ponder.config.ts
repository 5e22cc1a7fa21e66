import { join } from "node:path";
import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { readAddressBook } from "@haca/protocol/addressBook";
import { createConfig } from "ponder";
import { getAddress } from "viem";
import { readSettings } from "./launch/readSettings.ts";

const LOCAL_CHAIN_ID = 31337;

const settings = readSettings(process.env);
const { contracts } = readAddressBook(settings.deployment);
const isLocal = settings.chainId === LOCAL_CHAIN_ID;

export default createConfig({
  database:
    settings.databaseUrl === undefined
      ? { kind: "pglite", directory: join(settings.dataDirectory, databaseSchema()) }
      : { kind: "postgres", connectionString: settings.databaseUrl },
  chains: {
    settlement: {
      id: settings.chainId,
      rpc: settings.rpcUrl,
      // Milliseconds. A local chain mines at once and costs nothing to ask.
      pollingInterval: isLocal ? 250 : 1000,
      // A local chain begins anew under the same id: nothing fetched from it may outlive the process.
      disableCache: isLocal,
    },
  },
  contracts: {
    ModelRegistry: {
      chain: "settlement",
      abi: modelRegistryAbi,
      address: getAddress(contracts.ModelRegistry.address),
      startBlock: contracts.ModelRegistry.block,
    },
    InferenceSettlement: {
      chain: "settlement",
      abi: inferenceSettlementAbi,
      address: getAddress(contracts.InferenceSettlement.address),
      startBlock: contracts.InferenceSettlement.block,
      includeTransactionReceipts: true,
    },
  },
});

/** One folder per schema: a database never holds what two chains with the same id said. */
function databaseSchema(): string {
  const name = process.env.DATABASE_SCHEMA;
  if (name === undefined || name === "") {
    throw new Error("DATABASE_SCHEMA is not set: start the indexer with launch/cli.ts");
  }
  return name;
}
