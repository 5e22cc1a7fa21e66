import { type KnownVendor, VENDORS, vendorOf } from "@haca/attestation/vendors";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, type ContractRunner } from "ethers";
import { type ContractOf, contractAt } from "./contracts.ts";

/** A contract that reads evidence, and whose evidence it is. */
export type Verifier = {
  address: string;
  vendor: KnownVendor;
  contract: ContractOf<"IAttestationVerifier">;
  /** where its certificates are kept; undefined for a vendor that has no such place */
  store: ContractOf<"CertificateStore"> | undefined;
};

/**
 * The verifier at an address, with the vendor that its evidence type names.
 * Errors: `attestation.noVerifier`, where there is none; `attestation.vendorUnknown`, where nothing here reads what it reads.
 */
export async function verifierAt(parameters: {
  address: string;
  runner: ContractRunner;
  vendors?: readonly KnownVendor[];
}): Promise<Verifier> {
  const { address, runner, vendors = VENDORS } = parameters;
  const contract = contractAt({ name: "IAttestationVerifier", address, runner });
  const evidenceType = await contract.evidenceType().catch((cause: unknown) => {
    throw new BaseError({
      code: "attestation.noVerifier",
      message: `${address} is no verifier of evidence`,
      cause,
    });
  });
  const vendor = vendorOf(evidenceType, vendors);
  if (vendor === undefined) {
    throw new BaseError({
      code: "attestation.vendorUnknown",
      message: `verifier ${address} reads evidence of type ${evidenceType}, which is none of ${vendors.map(({ name }) => name).join(", ")}`,
    });
  }
  if (vendor.certificateStore === undefined) return { address, vendor, contract, store: undefined };
  const naming = new Contract(
    address,
    ["function CERTIFICATES() view returns (address)"],
    runner,
  ) as unknown as { CERTIFICATES(): Promise<string> };
  const store = contractAt({
    ...{ name: "CertificateStore", address: await naming.CERTIFICATES(), runner },
  });
  return { address, vendor, contract, store };
}
