import { fromBytes } from "./bytes.ts";

/**
 * A reader over a part of some bytes. The same as `contracts/attestation/cbor/Cursor.sol`: whoever moves it has compared with
 * `remaining` first. `offset` counts from the start of the item that is read, as the contracts' errors do.
 */
export class ByteCursor {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get offset(): number {
    return this.position;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** The next byte, without moving; undefined at the end. */
  get next(): number | undefined {
    return this.remaining > 0 ? this.bytes[this.position] : undefined;
  }

  /** The next `size` bytes as a big-endian number, without moving. */
  peekNumber(size: number): number {
    return Number(fromBytes(this.bytes.subarray(this.position, this.position + size)));
  }

  take(size: number): Uint8Array {
    const part = this.bytes.subarray(this.position, this.position + size);
    this.position += size;
    return part;
  }
}
