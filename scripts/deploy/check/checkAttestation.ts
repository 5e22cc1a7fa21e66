import { AWS_ROOT_FINGERPRINT } from "@haca/attestation/document/verifyDocument";
import type { AddressBook } from "@haca/protocol/addressBook";
import { TEE_TYPES } from "@haca/protocol/attestationParameters";
import type { Contract } from "ethers";
import { type Finding, finding } from "./finding.ts";

const NITRO = 0;

/** Wiring, root, ages and node types of the TEE registry and what verifies attestations for it. */
export async function checkAttestation(parameters: {
  book: AddressBook;
  getContract: (name: string, address: string) => Promise<Contract>;
}): Promise<Finding[]> {
  const { book, getContract } = parameters;
  const { AccessManager, EcdsaP384, CertificateStore, SigningKeys } = book.contracts;
  const { NitroAttestationVerifier, TEERegistry } = book.contracts;
  const { attestation } = book.parameters;
  if (!EcdsaP384 || !CertificateStore || !NitroAttestationVerifier || !SigningKeys) return [];
  if (!TEERegistry || !attestation) return [];

  const registry = await getContract("TEERegistry", TEERegistry.address);
  const store = await getContract("CertificateStore", CertificateStore.address);
  const verifier = await getContract("NitroAttestationVerifier", NitroAttestationVerifier.address);
  const findings: Finding[] = [];
  for (const [name, contract, view, expected, ...values] of [
    ["CertificateStore", store, "authority", AccessManager.address],
    ["CertificateStore", store, "ECDSA_P384", EcdsaP384.address],
    ["CertificateStore", store, "rootFingerprint", attestation.rootFingerprint],
    ["NitroAttestationVerifier", verifier, "CERTIFICATES", CertificateStore.address],
    ["NitroAttestationVerifier", verifier, "ECDSA_P384", EcdsaP384.address],
    ["TEERegistry", registry, "authority", AccessManager.address],
    ["TEERegistry", registry, "signingKeys", SigningKeys.address],
    ["TEERegistry", registry, "verifier", NitroAttestationVerifier.address, NITRO],
    ["TEERegistry", registry, "heartbeatMaxAge", attestation.heartbeatMaxAge],
    ["TEERegistry", registry, "attestationMaxAge", attestation.attestationMaxAge],
  ] as const) {
    const actual = await contract.getFunction(view)(...values);
    findings.push(finding(`${name}.${view}`, expected, actual));
  }
  const fingerprint = await store.getFunction("rootFingerprint")();
  findings.push(
    finding(
      "root is AWS's",
      !attestation.isDevelopmentRoot,
      fingerprint === `0x${AWS_ROOT_FINGERPRINT}`,
    ),
  );

  // Governance may add types; those of the deployment stay.
  const [ids, infos] = await registry.getFunction("getTEETypes")();
  const names = new Map<number, string>(
    ids.map((type: bigint, index: number) => [Number(type), infos[index].name]),
  );
  for (const [type, name] of TEE_TYPES.entries()) {
    findings.push(finding(`node type ${type}`, name, names.get(type) ?? "missing"));
  }
  return findings;
}
