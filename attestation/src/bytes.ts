/** Big-endian bytes of a number in [0, 256^length). */
export function toBytes(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(2 * length, "0");
  if (value < 0n || hex.length !== 2 * length)
    throw new RangeError(`not in ${length} bytes: ${value}`);
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** The number that big-endian bytes write; zero for none. */
export const fromBytes = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
