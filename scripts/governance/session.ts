import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { ListedName } from "@haca/protocol/contracts";
import { getAddress, isAddress, type JsonRpcSigner, type Provider } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { requireContracts } from "../lib/chainSession.ts";
import { connect } from "../lib/connect.ts";
import type { ContractOf } from "../lib/contracts.ts";
import { deployed } from "./call.ts";

/** Options of a verb that only reads. */
export type ChainOptions = { network: string };

/** Options of a verb that sends, or would send. */
export type SendOptions = ChainOptions & {
  /** number of the network's account that signs */
  account: string;
  /** the account that is to send it, where that is none of the network's: a Safe */
  as?: string;
  simulate?: true;
  /** file for a Safe's transaction builder */
  safe?: string;
};

export type Session = {
  connection: NetworkConnection;
  book: AddressBook;
  provider: Provider;
  /** a contract of the address book, for reading; errors: `chain.notDeployed`, `chain.otherChain` */
  contract: <Name extends ListedName>(name: Name) => Promise<ContractOf<Name>>;
};

/** Who sends, and with what: no signer where the transaction is written to a file or only simulated. */
export type Sender = { address: string; signer?: JsonRpcSigner };

/** Contracts that every command relies on, where the address book has them. */
const FOUNDATIONS: readonly ListedName[] = [
  "AccessManager",
  "HacaGovernor",
  "TimelockController",
  "OPG",
];

const badArgument = (message: string): BaseError =>
  new BaseError({ code: "governance.badArgument", message });

/** Runs a verb with a connection that ends with it. Errors: `addressBook.…`, `chain.otherChain`. */
export async function withSession(
  { network }: ChainOptions,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  const { connection, chainId } = await connect(network);
  try {
    const provider = connection.ethers.provider as unknown as Provider;
    const book = readAddressBook(addressBookPath(chainId), chainId);
    await requireContracts({ book, provider, names: FOUNDATIONS });
    await run({
      ...{ connection, book, provider },
      contract: async (name) => {
        await requireContracts({ book, provider, names: [name] });
        return deployed({ book, provider }, name);
      },
    });
  } finally {
    await connection.close();
  }
}

/** Error: `governance.badArgument` for an account that the network does not have, and for `--as` and `--safe` that do not fit. */
export async function senderOf(session: Session, options: SendOptions): Promise<Sender> {
  const { as, safe, simulate } = options;
  if (simulate && safe !== undefined) throw badArgument("--simulate and --safe exclude each other");
  if (as !== undefined) {
    if (!simulate && safe === undefined) {
      throw badArgument("--as goes with --safe or --simulate: only the account itself can send");
    }
    if (!/^0x/.test(as) || !isAddress(as)) throw badArgument(`--as ${as} is no address`);
    return { address: getAddress(as) };
  }
  if (safe !== undefined) {
    throw badArgument("--safe needs the Safe's own address: --as <address>");
  }
  const signers = (await session.connection.ethers.getSigners()) as unknown as JsonRpcSigner[];
  const { account } = options;
  const signer = /^[0-9]+$/.test(account) ? signers[Number(account)] : undefined;
  if (signer === undefined) {
    throw badArgument(
      signers.length === 0
        ? `network ${options.network} has no account: set its key`
        : `--account must be a number below ${signers.length}, got ${account}`,
    );
  }
  return { address: signer.address, signer };
}
