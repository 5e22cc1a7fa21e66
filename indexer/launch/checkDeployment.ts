import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import {
  createPublicClient,
  getAddress,
  type Hex,
  http,
  keccak256,
  type PublicClient,
  BaseError as ViemError,
} from "viem";

/**
 * Checks that the node behind `rpcUrl` serves the chain on which the address book's contracts live.
 * Returns the hash of the block that created the settlement contract: it names this one history, also where
 * a local chain begins anew under the same chain id with the same addresses.
 *
 * Throws `rpc.unreachable`, `rpc.wrongChain`, `rpc.noHistory`, `deployment.wrongChain`, `deployment.noCode`,
 * `deployment.wrongCode` or `deployment.noBlock`; each message begins with the variable to look at.
 */
export async function checkDeployment(parameters: {
  rpcUrl: string;
  chainId: number;
  path: string;
  book: AddressBook;
}): Promise<Hex> {
  const { rpcUrl, chainId, path, book } = parameters;
  if (book.chainId !== chainId) {
    throw new BaseError({
      code: "deployment.wrongChain",
      message: `HACA_ADDRESS_BOOK: ${path} is for chain ${book.chainId}, HACA_CHAIN_ID says ${chainId}`,
    });
  }
  const client = createPublicClient({ transport: http(rpcUrl) });
  const servedChainId = await client.getChainId().catch((cause: unknown) => {
    throw new BaseError({
      code: "rpc.unreachable",
      // Only the host: the rest of a URL may be a key.
      message: `HACA_RPC_URL: no answer from ${new URL(rpcUrl).host}`,
      cause,
    });
  });
  if (servedChainId !== chainId) {
    throw new BaseError({
      code: "rpc.wrongChain",
      message: `HACA_RPC_URL: the node serves chain ${servedChainId}, expected ${chainId}`,
    });
  }
  for (const [name, contract] of Object.entries(book.contracts)) {
    if (contract === undefined) {
      continue;
    }
    const { address, codeHash } = contract;
    const code = await client.getCode({ address: getAddress(address) });
    if (code === undefined) {
      throw new BaseError({
        code: "deployment.noCode",
        message: `HACA_ADDRESS_BOOK: ${path} puts ${name} at ${address}, where chain ${chainId} has no contract: deploy again`,
      });
    }
    if (keccak256(code) !== codeHash.toLowerCase()) {
      throw new BaseError({
        code: "deployment.wrongCode",
        message: `HACA_ADDRESS_BOOK: the code of ${name} at ${address} is not the code that ${path} names`,
      });
    }
  }
  const { block: blockNumber, transaction } = book.contracts.InferenceSettlement;
  const block = await client.getBlock({ blockNumber: BigInt(blockNumber) }).catch((cause) => {
    throw new BaseError({
      code: "deployment.noBlock",
      message: `HACA_ADDRESS_BOOK: chain ${chainId} has no block ${blockNumber}, which ${path} names`,
      cause,
    });
  });
  await requireHistory({ client, block: block.number, transaction: transaction as Hex });
  return block.hash;
}

/**
 * The tables begin with the first contract's block: a node that has thrown away logs or receipts of that age cannot fill
 * them. Of old state nothing is needed.
 */
async function requireHistory(parameters: {
  client: PublicClient;
  block: bigint;
  transaction: Hex;
}): Promise<void> {
  const { client, block, transaction } = parameters;
  const needs = [
    { what: "logs", read: () => client.getLogs({ fromBlock: block, toBlock: block }) },
    { what: "receipts", read: () => client.getTransactionReceipt({ hash: transaction }) },
  ];
  for (const { what, read } of needs) {
    await read().catch((cause: unknown) => {
      const reason = cause instanceof ViemError ? cause.details || cause.shortMessage : cause;
      throw new BaseError({
        code: "rpc.noHistory",
        message: `HACA_RPC_URL: the endpoint has no ${what} of block ${block}, where the deployment begins (${reason}): take one that keeps them (of old state, nothing is needed)`,
        cause,
      });
    });
  }
}
