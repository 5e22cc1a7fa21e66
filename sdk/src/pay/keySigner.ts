import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak, sliceHex, toBytes, toHex } from "../bytes.ts";
import { optionError } from "../client/optionError.ts";
import { hashTypedData, type TypedData } from "./hashTypedData.ts";

/**
 * The account of a private key, 32 bytes of hex, with or without 0x. It signs the same with the same bytes (RFC 6979).
 * @throws BaseError `option.wrong`, which does not show the key
 */
export function keySigner(privateKey: string): {
  address: string;
  signTypedData: (data: TypedData) => Promise<string>;
} {
  const hex = privateKey.replace(/^0x/, "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex) || !secp256k1.utils.isValidPrivateKey(hex)) {
    throw optionError("privateKey", "must be a private key of secp256k1, 64 hex digits");
  }
  const point = secp256k1.getPublicKey(hex, false).subarray(1);
  return {
    address: sliceHex(keccak(toHex(point)), 12),
    async signTypedData(data) {
      const signature = secp256k1.sign(toBytes(hashTypedData(data)), hex);
      return `0x${signature.toCompactHex()}${(27 + signature.recovery).toString(16)}`;
    },
  };
}
