import {
  certificateStoreAbi,
  nitroVerifierAbi,
  teeRegistryAbi,
  teeRegistryLensAbi,
} from "@haca/protocol/abi";
import { type AddressBook, addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { TextInterface } from "@haca/protocol/chainText";
import { Contract, type ContractRunner } from "ethers";

/** The registry of a deployment with what it needs. */
export type TeeContracts = {
  chainId: bigint;
  registry: Contract;
  lens: Contract;
  store: Contract;
  verifier: Contract;
  /** SHA-256 of the pinned root's DER */
  rootFingerprint: string;
  isDevelopmentRoot: boolean;
};

/**
 * The contracts of a chain's address book, called through `runner`.
 * Error: `tee.notDeployed`, where the book has no TEE registry or the chain has none there.
 */
export async function teeContracts(parameters: {
  chainId: number;
  runner: ContractRunner;
  book?: AddressBook;
}): Promise<TeeContracts> {
  const { chainId, runner } = parameters;
  const path = addressBookPath(chainId);
  const { contracts, parameters: settings } = parameters.book ?? readAddressBook(path, chainId);
  const { TEERegistry, TEERegistryLens, CertificateStore, NitroAttestationVerifier } = contracts;
  const { attestation } = settings;
  if (
    !(TEERegistry && TEERegistryLens && CertificateStore && NitroAttestationVerifier && attestation)
  ) {
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
    registry: new Contract(TEERegistry.address, new TextInterface(teeRegistryAbi), runner),
    lens: new Contract(TEERegistryLens.address, new TextInterface(teeRegistryLensAbi), runner),
    store: new Contract(CertificateStore.address, certificateStoreAbi, runner),
    verifier: new Contract(NitroAttestationVerifier.address, nitroVerifierAbi, runner),
    rootFingerprint: attestation.rootFingerprint,
    isDevelopmentRoot: attestation.isDevelopmentRoot,
  };
}

/** Unix seconds at which the next block can be: this machine's clock, or the latest block's if that is ahead. */
export async function nextBlockTime(runner: ContractRunner): Promise<bigint> {
  const block = await runner.provider?.getBlock("latest");
  const clock = Math.floor(Date.now() / 1000);
  return BigInt(Math.max(clock, block?.timestamp ?? 0));
}
