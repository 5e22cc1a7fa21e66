import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { BrowserProvider, Contract, type InterfaceAbi, type JsonRpcSigner } from "ethers";
import { connect, firstLine } from "./connect.ts";
import { isDevelopmentChain } from "./developmentChain.ts";

/** How often a local chain is asked whether a transaction is in a block. */
const LOCAL_POLLING_MS = 100;

type ContractName = keyof AddressBook["contracts"];

/** A chain with its address book, for a command that reads or sends. */
export type ChainSession = {
  network: string;
  chainId: number;
  isDevelopment: boolean;
  provider: BrowserProvider;
  bookPath: string;
  book: AddressBook;
  /** a contract of the address book; errors: `chain.notDeployed`, `chain.otherChain` */
  contract: (name: ContractName, abi: InterfaceAbi) => Promise<Contract>;
  /** the network's account of that number; errors: `chain.badAccount`, `chain.badKey` */
  signer: (account: string) => Promise<JsonRpcSigner>;
};

/**
 * Connects to a network of hardhat.config.ts, runs `work`, and closes. The provider is ethers' own, so that errors
 * are ethers' too, whatever the network.
 * Errors: those of `connect` and of `readAddressBook`.
 */
export async function withChainSession<Result>(
  network: string,
  work: (session: ChainSession) => Promise<Result>,
): Promise<Result> {
  const { connection, chainId } = await connect(network);
  const provider = new BrowserProvider(connection.provider, chainId, { staticNetwork: true });
  const isDevelopment = isDevelopmentChain(chainId);
  if (isDevelopment) provider.pollingInterval = LOCAL_POLLING_MS;
  try {
    const bookPath = addressBookPath(chainId);
    const book = readAddressBook(bookPath, chainId);
    return await work({
      ...{ network, chainId, isDevelopment, provider, bookPath, book },
      contract: (name, abi) => contractOf({ name, abi, book, bookPath, provider, chainId }),
      signer: (account) => signerOf({ provider, network, account }),
    });
  } finally {
    provider.destroy();
    await connection.close();
  }
}

async function contractOf(parameters: {
  name: ContractName;
  abi: InterfaceAbi;
  book: AddressBook;
  bookPath: string;
  provider: BrowserProvider;
  chainId: number;
}): Promise<Contract> {
  const { name, abi, book, bookPath, provider, chainId } = parameters;
  const entry = book.contracts[name];
  if (entry === undefined) {
    throw new BaseError({
      code: "chain.notDeployed",
      message: `${bookPath} has no ${name}: npm run deploy -- --network <name>`,
    });
  }
  await requireCode({ name, address: entry.address, provider, chainId });
  return new Contract(entry.address, abi, provider);
}

/** Makes sure that a contract is where it should be. Error: `chain.otherChain`. */
export async function requireCode(parameters: {
  name: string;
  address: string;
  provider: BrowserProvider;
  chainId: number;
}): Promise<void> {
  const { name, address, provider, chainId } = parameters;
  if ((await provider.getCode(address)) !== "0x") return;
  throw new BaseError({
    code: "chain.otherChain",
    message: `chain ${chainId} has no ${name} at ${address}: deploy first, or use this chain's address book`,
  });
}

async function signerOf(parameters: {
  provider: BrowserProvider;
  network: string;
  account: string;
}): Promise<JsonRpcSigner> {
  const { provider, network, account } = parameters;
  const accounts: string[] = await provider.send("eth_accounts", []).catch((cause: unknown) => {
    throw new BaseError({
      code: "chain.badKey",
      message: `network ${network}: ${firstLine(cause)} (the key is HACA_DEPLOYER_KEY, 0x and 64 hex digits)`,
      cause,
    });
  });
  const address = /^\d{1,6}$/.test(account) ? accounts[Number(account)] : undefined;
  if (address !== undefined) return await provider.getSigner(address);
  throw new BaseError({
    code: "chain.badAccount",
    message:
      accounts.length === 0
        ? `network ${network} has no account: set HACA_DEPLOYER_KEY`
        : `--account must be a number from 0 to ${accounts.length - 1}, got ${account}`,
  });
}

/** The generated ABIs. Error: `build.missing`, before the first build. */
export async function loadAbis() {
  try {
    return await import("@haca/protocol/abi");
  } catch (cause) {
    throw new BaseError({
      code: "build.missing",
      message: "the contracts are not compiled yet: npm run build",
      cause,
    });
  }
}
