import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { ContractRunner } from "ethers";
import { type ContractOf, contractAt } from "../lib/contracts.ts";

/** The registry of a deployment with what it needs. */
export type TeeContracts = {
  chainId: bigint;
  registry: ContractOf<"TEERegistry">;
  lens: ContractOf<"TEERegistryLens">;
  store: ContractOf<"CertificateStore">;
  /** SHA-256 of the pinned root's DER */
  rootFingerprint: string;
  isDevelopmentRoot: boolean;
};

/**
 * The contracts of a chain's address book, called through `runner`.
 * Error: `tee.notDeployed`, where the address book has no TEE registry or the chain has none there.
 */
export async function teeContracts(parameters: {
  chainId: number;
  runner: ContractRunner;
  book?: AddressBook;
}): Promise<TeeContracts> {
  const { chainId, runner } = parameters;
  const path = addressBookPath(chainId);
  const { contracts, parameters: settings } = parameters.book ?? readAddressBook(path, chainId);
  const { TEERegistry, TEERegistryLens, CertificateStore } = contracts;
  const { attestation } = settings;
  if (!TEERegistry || !TEERegistryLens || !CertificateStore || !attestation) {
    throw new BaseError({
      code: "tee.notDeployed",
      message: `${path} has no TEE registry: npm run deploy -- --network <name> --part tee`,
    });
  }
  if ((await runner.provider?.getCode(TEERegistry.address)) === "0x") {
    throw new BaseError({
      code: "tee.notDeployed",
      message: `chain ${chainId} has no TEE registry at ${TEERegistry.address}: deploy first, or use this chain's address book`,
    });
  }
  return {
    chainId: BigInt(chainId),
    registry: contractAt({ name: "TEERegistry", address: TEERegistry.address, runner }),
    lens: contractAt({ name: "TEERegistryLens", address: TEERegistryLens.address, runner }),
    store: contractAt({ name: "CertificateStore", address: CertificateStore.address, runner }),
    rootFingerprint: attestation.rootFingerprint,
    isDevelopmentRoot: attestation.isDevelopmentRoot,
  };
}
