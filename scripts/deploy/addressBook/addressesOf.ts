import type { Contract } from "ethers";

/** Addresses of contracts, in their order. */
export async function addressesOf<T extends readonly Contract[]>(
  ...contracts: T
): Promise<{ [K in keyof T]: string }> {
  const addresses = await Promise.all(contracts.map((contract) => contract.getAddress()));
  return addresses as { [K in keyof T]: string };
}
