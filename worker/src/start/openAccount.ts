import type { AddressBook } from "@haca/protocol/addressBook";
import { Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import { probeEndpoint } from "../chain/probeEndpoint.ts";
import { requireContract } from "../chain/requireContract.ts";
import { claimIdentity } from "../jobs/acceptJob.ts";
import type { Database } from "../storage/database.ts";
import type { CloseStack } from "./closeStack.ts";
import type { Ports } from "./openParts.ts";
import { untilReachable } from "./untilReachable.ts";

/** Of a role with an account of its own. */
type AccountConfig = {
  dataDirectory: string;
  databaseUrl: string | undefined;
  databasePool: number;
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  confirmations: number;
  /** private key of the account */
  key: string;
};

/**
 * Opens the queue and the chain of such a role, and makes sure that they belong together and that the contracts are there.
 * What it has opened, `closers` closes. @throws StartError or another BaseError
 */
export async function openAccount(parameters: {
  config: AccountConfig;
  book: AddressBook;
  /** addresses by names of contracts that the role needs */
  contracts: Readonly<Record<string, string>>;
  /** frees what a process that died may have held: in an embedded database, which is this process's alone */
  release: (parameters: { database: Database }) => Promise<unknown>;
  logger: Logger;
  /** aborts a start that waits for the chain */
  signal: AbortSignal;
  ports: Ports;
  closers: CloseStack;
}): Promise<{ database: Database; chain: Chain; wallet: Wallet }> {
  const { book, closers, config, contracts, logger, ports, release, signal } = parameters;
  const { chainId, confirmations, rpcTimeoutMs: timeoutMs, rpcUrl } = config;
  const database = await ports.openDatabase({
    folder: config.dataDirectory,
    url: config.databaseUrl,
    poolSize: config.databasePool,
    onError: (error) => logger.warn({ err: error }, "database connection lost"),
  });
  closers.add(() => database.close());
  if (config.databaseUrl === undefined) await release({ database });
  const chain = await untilReachable({
    operation: () => ports.connectChain({ rpcUrl, timeoutMs, chainId, addressBook: book }),
    ...{ signal, logger },
  });
  const { genesisHash, provider, settlement } = chain;
  closers.add(async () => provider.destroy());
  for (const [name, address] of Object.entries(contracts)) {
    await requireContract({ provider, chainId, name, address });
  }
  const wallet = new Wallet(config.key);
  const account = wallet.address;
  const identity = { chainId: chain.chainId, genesisHash, settlement, node: account };
  await claimIdentity({ database, identity });
  await untilReachable({
    operation: () => probeEndpoint({ provider, chainId, account, confirmations }),
    ...{ signal, logger },
  });
  return { database, chain, wallet };
}
