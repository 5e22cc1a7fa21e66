import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import type { AddressBook } from "@haca/protocol/addressBook";
import { type Contract, hexlify, type Provider } from "ethers";
import { addressesOf } from "./addressesOf.ts";
import { describeContract } from "./describeContract.ts";
import type { AttestationParameters } from "./readAttestationParameters.ts";
import type { Creation } from "./runModule.ts";

type AttestationContract =
  | "EcdsaP384"
  | "CertificateStore"
  | "NitroAttestationVerifier"
  | "SigningKeys"
  | "TEERegistry"
  | "TEERegistryLens";

/** The TEE registry's and its verifiers' part of the address book. */
export async function describeAttestation(parameters: {
  provider: Provider;
  creations: ReadonlyMap<string, Creation>;
  attestation: AttestationParameters;
  deployed: Readonly<
    Record<
      | "accessManager"
      | "ecdsaP384"
      | "certificateStore"
      | "verifier"
      | "signingKeys"
      | "teeRegistry"
      | "teeRegistryLens",
      Contract
    >
  >;
}): Promise<{
  contracts: Pick<AddressBook["contracts"], AttestationContract>;
  attestation: NonNullable<AddressBook["parameters"]["attestation"]>;
}> {
  const { deployed, attestation } = parameters;
  const { rootFingerprint, isDevelopmentRoot, heartbeatMaxAge, attestationMaxAge } = attestation;
  const [manager, ecdsa, store] = await addressesOf(
    deployed.accessManager,
    deployed.ecdsaP384,
    deployed.certificateStore,
  );
  const [verifier, keys, registry, lens] = await addressesOf(
    deployed.verifier,
    deployed.signingKeys,
    deployed.teeRegistry,
    deployed.teeRegistryLens,
  );
  const entry = (address: string, constructorArguments: string[]) =>
    describeContract({ ...parameters, address, constructorArguments });
  const ages = [String(heartbeatMaxAge), String(attestationMaxAge)];
  return {
    contracts: {
      EcdsaP384: await entry(ecdsa, [hexlify(p384BaseTable())]),
      CertificateStore: await entry(store, [manager, ecdsa, hexlify(attestation.rootCertificate)]),
      NitroAttestationVerifier: await entry(verifier, [store, ecdsa]),
      SigningKeys: await entry(keys, []),
      TEERegistry: await entry(registry, [manager, keys, verifier, ...ages]),
      TEERegistryLens: await entry(lens, [registry]),
    },
    attestation: { rootFingerprint, isDevelopmentRoot, heartbeatMaxAge, attestationMaxAge },
  };
}
