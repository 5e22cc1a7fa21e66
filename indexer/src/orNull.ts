import { type Hex, zeroAddress } from "viem";

/** The zero address, which is nobody's, as null. */
export function orNull(address: Hex): Hex | null {
  return address === zeroAddress ? null : address;
}
