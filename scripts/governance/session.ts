import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, type InterfaceAbi, type JsonRpcSigner, type Provider } from "ethers";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { connect, firstLine } from "../deploy/connect.ts";
import { addressOf } from "./call.ts";

export type Options = {
  positionals: readonly string[];
  network: string;
  /** number of the network's account that signs */
  account: string;
  description?: string | undefined;
  simulate: boolean;
  safe?: string | undefined;
};

export type Session = {
  connection: NetworkConnection;
  book: AddressBook;
  provider: Provider;
  signer: JsonRpcSigner;
  /** a contract of the address book, for the signer */
  contract: (name: string) => Promise<Contract>;
};

/** Error: `governance.badArgument` for an account that the network does not have. */
export async function openSession(options: Options): Promise<Session> {
  const { connection, chainId } = await connect(options.network);
  try {
    const book = readAddressBook(addressBookPath(chainId));
    const signers = (await connection.ethers.getSigners()) as unknown as JsonRpcSigner[];
    const signer = signers[Number(options.account)];
    if (signer === undefined) {
      throw new BaseError({
        code: "governance.badArgument",
        message: `--account must be a number below ${signers.length}, got ${options.account}`,
      });
    }
    const contract = async (name: string): Promise<Contract> => {
      const { abi } = await hre.artifacts.readArtifact(name);
      return new Contract(addressOf(book, name), abi as unknown as InterfaceAbi, signer);
    };
    const provider = connection.ethers.provider as unknown as Provider;
    return { connection, book, provider, signer, contract };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Sends one transaction and waits for it; a refusal becomes one line, `governance.refused`. */
export async function send(
  contract: Contract,
  name: string,
  values: readonly unknown[],
): Promise<void> {
  try {
    const sent = await contract.getFunction(name)(...values);
    const receipt = await sent.wait();
    console.log(`  ${name}: transaction ${receipt.hash} in block ${receipt.blockNumber}`);
  } catch (cause) {
    throw new BaseError({
      code: "governance.refused",
      message: `${name}: ${firstLine(cause)}`,
      cause,
    });
  }
}
