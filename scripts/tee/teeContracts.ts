import type { KnownVendor } from "@haca/attestation/vendors";
import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import { type ContractRunner, ZeroAddress } from "ethers";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { type Verifier, verifierAt } from "../lib/verifierAt.ts";

/** The registry of a deployment, and its lens. */
export type TeeContracts = {
  chainId: bigint;
  registry: ContractOf<"TEERegistry">;
  lens: ContractOf<"TEERegistryLens">;
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
  const { contracts } = parameters.book ?? readAddressBook(path, chainId);
  const { TEERegistry, TEERegistryLens } = contracts;
  if (!TEERegistry || !TEERegistryLens) {
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
  };
}

/** The verifier that the registry has under an id. Errors: `tee.refused`, where it has none; those of `verifierAt`. */
export async function verifierOf(parameters: {
  contracts: Pick<TeeContracts, "registry">;
  runner: ContractRunner;
  verifierId: bigint | number;
  vendors?: readonly KnownVendor[];
}): Promise<Verifier & { verifierId: number }> {
  const { contracts, verifierId, ...rest } = parameters;
  const address = await contracts.registry.verifier(verifierId);
  if (address === ZeroAddress) {
    throw new BaseError({
      code: "tee.refused",
      message: `the registry has no verifier ${verifierId}: it takes no such evidence`,
    });
  }
  return { verifierId: Number(verifierId), ...(await verifierAt({ address, ...rest })) };
}

/**
 * The verifier of Nitro documents in use, which the legacy entry point speaks of, and its certificate store.
 * Errors: those of `verifierOf`; `tee.refused`, where it names no store.
 */
export async function nitroVerifierOf(parameters: {
  contracts: Pick<TeeContracts, "registry">;
  runner: ContractRunner;
}) {
  const { verifierId, verifier: name } = ATTESTATION_VENDORS.nitro;
  const { address, store } = await verifierOf({ ...parameters, verifierId });
  if (store === undefined) {
    throw new BaseError({
      code: "tee.refused",
      message: `verifier ${address} names no certificate store: it is none of Nitro documents`,
    });
  }
  return { verifier: contractAt({ name, address, runner: parameters.runner }), store };
}
