import type { AddressBook } from "@haca/protocol/addressBook";
import type { Contract, Provider } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { checkAccessRules } from "./checkAccessRules.ts";
import { checkAttestation } from "./checkAttestation.ts";
import { checkCore } from "./checkCore.ts";
import { checkRoles } from "./checkRoles.ts";
import { checkToken } from "./checkToken.ts";
import type { Finding } from "./finding.ts";

/** Compares everything that the address book says with the chain. */
export async function checkDeployment(parameters: {
  connection: NetworkConnection;
  book: AddressBook;
}): Promise<Finding[]> {
  const { connection, book } = parameters;
  const provider = connection.ethers.provider as unknown as Provider;
  const getContract = async (name: string, address: string): Promise<Contract> =>
    (await connection.ethers.getContractAt(name, address)) as unknown as Contract;
  const core = await checkCore({ book, provider, getContract });
  if (core.some(({ actual }) => actual === "nothing")) return core;
  return [
    ...core,
    ...(await checkAttestation({ book, getContract })),
    ...(await checkToken({ book, getContract })),
    ...(await checkRoles({ book, getContract })),
    ...(await checkAccessRules({ book, getContract })),
  ];
}
