import { AbiCoder, concat, keccak256, sha256, toUtf8Bytes } from "ethers";

/** What evidence is bound to. */
export type Bound = {
  chainId: bigint;
  registry: string;
  operator: string;
  paymentAddress: string;
  endpoint: string;
  teeType: number;
};

/**
 * What evidence for `TEERegistry.register` has to be bound to, whatever form its vendor gives it; 32 bytes. The same
 * as the registry's `computeBinding`.
 */
export function bindingOf(bound: Bound): string {
  const { chainId, registry, operator, paymentAddress, endpoint, teeType } = bound;
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["uint256", "address", "address", "address", "bytes32", "uint8"],
      [chainId, registry, operator, paymentAddress, keccak256(toUtf8Bytes(endpoint)), teeType],
    ),
  );
}

/** `Claims.keysHash` of evidence that vouches for these two, whatever its vendor. Both DER. */
export function keysHashOf(keys: { tlsCertificate: string; signingKey: string }): string {
  return keccak256(concat([sha256(keys.tlsCertificate), sha256(keys.signingKey)]));
}
