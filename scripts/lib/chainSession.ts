import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { ListedName } from "@haca/protocol/contracts";
import { BrowserProvider, type JsonRpcSigner, keccak256, type Provider } from "ethers";
import { connect, isDevelopmentChain, withoutAccounts } from "./connect.ts";
import { type ContractOf, contractAt } from "./contracts.ts";
import { pollReceipts } from "./receiptPolling.ts";

/** How often a local chain is asked whether a transaction is in a block. */
const LOCAL_POLLING_MS = 100;
const POLLING_MS = 2_000;

/** A chain with its address book, for a command that reads or sends. */
export type ChainSession = {
  network: string;
  chainId: number;
  isDevelopment: boolean;
  provider: BrowserProvider;
  bookPath: string;
  book: AddressBook;
  /** a contract of the address book; errors: `chain.notDeployed`, `chain.otherChain` */
  contract: <Name extends ListedName>(name: Name) => Promise<ContractOf<Name>>;
  /** the network's account of that number; errors: `chain.badAccount`, `deploy.badKey`, `deploy.noRpc` */
  signer: (account: string) => Promise<JsonRpcSigner>;
  /** what is to be asked before something is sent: nothing on a development chain, or where the answer was given */
  question: (text: string, options: { yes?: boolean }) => string | undefined;
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
  pollReceipts(provider, isDevelopment ? LOCAL_POLLING_MS : POLLING_MS);
  try {
    const bookPath = addressBookPath(chainId);
    const book = readAddressBook(bookPath, chainId);
    return await work({
      ...{ network, chainId, isDevelopment, provider, bookPath, book },
      contract: async (name) => {
        const address = addressOf(book, name);
        await requireContracts({ book, provider, names: [name] });
        return contractAt({ name, address, runner: provider });
      },
      signer: (account) => signerOf({ provider, network, account }),
      question: (text, { yes }) => (isDevelopment || yes === true ? undefined : text),
    });
  } finally {
    provider.destroy();
    await connection.close();
  }
}

/** Address of a contract in the address book. Error: `chain.notDeployed`. */
export function addressOf(book: AddressBook, name: ListedName): string {
  const entry = book.contracts[name];
  if (entry !== undefined) return entry.address;
  throw new BaseError({
    code: "chain.notDeployed",
    message: `${name} is not in the address book of chain ${book.chainId}, ${addressBookPath(book.chainId)}: npm run deploy -- --network <name>`,
  });
}

/**
 * Makes sure that the chain which answers is the one that the address book tells of: a development chain that was
 * restarted has no contracts any more, or others at the same addresses. Error: `chain.otherChain`.
 */
export async function requireContracts(parameters: {
  book: AddressBook;
  provider: Pick<Provider, "getCode">;
  /** those that the address book has not are left out */
  names: readonly ListedName[];
}): Promise<void> {
  const { book, provider, names } = parameters;
  for (const name of names) {
    const entry = book.contracts[name];
    if (entry === undefined) continue;
    const code = await provider.getCode(entry.address);
    if (code !== "0x" && keccak256(code) === entry.codeHash) continue;
    const found = code === "0x" ? "has no" : "has something other than the";
    throw otherChain(`${found} ${name}`, { book, address: entry.address });
  }
}

/** The same of a vault, which has no entry of its own. Error: `chain.otherChain`. */
export async function requireVault(parameters: {
  book: AddressBook;
  provider: Pick<Provider, "getCode">;
  address: string;
}): Promise<void> {
  if ((await parameters.provider.getCode(parameters.address)) !== "0x") return;
  throw otherChain("has no vault", parameters);
}

function otherChain(what: string, at: { book: AddressBook; address: string }): BaseError {
  const { chainId } = at.book;
  return new BaseError({
    code: "chain.otherChain",
    message: `chain ${chainId} ${what} of ${addressBookPath(chainId)} at ${at.address}: deploy first, or use this chain's address book`,
  });
}

/** Unix seconds at which the next block can be: this machine's clock, or the latest block's if that is ahead. */
export async function nextBlockTime(provider: Provider | null | undefined): Promise<bigint> {
  const block = await provider?.getBlock("latest");
  return BigInt(Math.max(Math.floor(Date.now() / 1000), block?.timestamp ?? 0));
}

async function signerOf(parameters: {
  provider: BrowserProvider;
  network: string;
  account: string;
}): Promise<JsonRpcSigner> {
  const { provider, network, account } = parameters;
  const request = (method: string) => provider.send(method, []);
  const accounts: string[] = await request("eth_accounts").catch(async (cause: unknown) => {
    throw await withoutAccounts({ network, cause, request });
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
