import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import type { NetworkConnection } from "hardhat/types/network";
import type { Signed } from "./p384Signatures.ts";

/** Deploys EcdsaP384 with its table. */
export const deployEcdsaP384 = ({ ethers }: NetworkConnection) =>
  ethers.deployContract("EcdsaP384", [p384BaseTable()]);

export type EcdsaP384 = Awaited<ReturnType<typeof deployEcdsaP384>>;

/** Calls `verify`, with the signature's own hints where none are given. */
export const verifyOnChain = (parameters: {
  ecdsa: EcdsaP384;
  signed: Signed;
  hints?: Uint8Array;
}): Promise<void> => {
  const { ecdsa, signed, hints = generateP384Hints(signed) } = parameters;
  return ecdsa.verify(signed.message, signed.publicKey, signed.signature, hints);
};
