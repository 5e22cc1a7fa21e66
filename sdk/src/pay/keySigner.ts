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
  const { address, sign } = keyOf(privateKey);
  return {
    address,
    async signTypedData(data) {
      const { compact, recovery } = sign(hashTypedData(data));
      return `0x${compact}${(27 + recovery).toString(16)}`;
    },
  };
}

/**
 * What a private key signs 32 bytes with: r and s as hex, and which of two keys it is.
 * @throws BaseError `option.wrong`, which does not show the key
 */
export function keyOf(privateKey: string): {
  address: string;
  sign: (hash: string) => { compact: string; recovery: number };
} {
  const hex = privateKey.replace(/^0x/, "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex) || !secp256k1.utils.isValidPrivateKey(hex)) {
    throw optionError("privateKey", "must be a private key of secp256k1, 64 hex digits");
  }
  const point = secp256k1.getPublicKey(hex, false).subarray(1);
  return {
    address: sliceHex(keccak(toHex(point)), 12),
    sign(hash) {
      const signature = secp256k1.sign(toBytes(hash), hex);
      return { compact: signature.toCompactHex(), recovery: signature.recovery };
    },
  };
}
