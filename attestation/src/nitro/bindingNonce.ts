import { AbiCoder, dataSlice, keccak256, toUtf8Bytes } from "ethers";

/**
 * The 20-byte nonce that evidence for `TEERegistry.register` must carry. Twin of the registry's
 * `computeBindingNonce`.
 */
export function bindingNonce(parameters: {
  chainId: bigint;
  registry: string;
  operator: string;
  paymentAddress: string;
  endpoint: string;
  teeType: number;
}): string {
  const { chainId, registry, operator, paymentAddress, endpoint, teeType } = parameters;
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["uint256", "address", "address", "address", "bytes32", "uint8"],
    [chainId, registry, operator, paymentAddress, keccak256(toUtf8Bytes(endpoint)), teeType],
  );
  return dataSlice(keccak256(encoded), 0, 20);
}
