import { BaseError } from "@haca/protocol/baseError";

/** What attestation documents consist of. Unsigned integers are bigint; null is a missing value. */
export type CborValue =
  | bigint
  | string
  | Uint8Array
  | null
  | readonly CborValue[]
  | ReadonlyMap<bigint | string, CborValue>;

/** The bytes are not CBOR of the subset. `details.offset` is where. */
export class CborError extends BaseError {
  constructor(parameters: { reason: string; offset: number }) {
    const { reason, offset } = parameters;
    super({
      code: "cbor.malformed",
      message: `byte ${offset}: ${reason}`,
      details: { offset },
    });
  }
}

const MAXIMUM_DEPTH = 8;

/**
 * Reads one CBOR item (RFC 8949) and its length in bytes. The subset and its strictness are those of
 * `contracts/attestation/Cbor.sol`: lengths in shortest form, indefinite lengths for maps only, no repeated keys.
 */
export function decodeCbor(parameters: {
  bytes: Uint8Array;
  /** of the item's first byte; 0 if left out */
  offset?: number;
}): { value: CborValue; end: number } {
  const reader = new Reader(parameters.bytes, parameters.offset ?? 0);
  const value = reader.read(MAXIMUM_DEPTH);
  return { value, end: reader.offset };
}

class Reader {
  offset: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, offset: number) {
    this.bytes = bytes;
    this.offset = offset;
  }

  read(depth: number): CborValue {
    const start = this.offset;
    if (depth === 0) throw new CborError({ reason: "nested too deeply", offset: start });
    const header = this.take(1)[0] ?? 0;
    const majorType = header >> 5;
    const information = header & 0x1f;
    if (header === 0xbf) return this.readMap(undefined, depth);
    if (header === 0xf6) return null;
    if (information > 27) throw new CborError({ reason: "unsupported header", offset: start });
    const argument = this.readArgument(information, start);
    switch (majorType) {
      case 0:
        return argument;
      case 2:
        return this.take(this.toLength(argument, start)).slice();
      case 3:
        return new TextDecoder().decode(this.take(this.toLength(argument, start)));
      case 4:
        return Array.from({ length: this.toLength(argument, start) }, () => this.read(depth - 1));
      case 5:
        return this.readMap(this.toLength(argument, start), depth);
      default:
        throw new CborError({ reason: `unsupported major type ${majorType}`, offset: start });
    }
  }

  private readMap(
    size: number | undefined,
    depth: number,
  ): ReadonlyMap<bigint | string, CborValue> {
    const map = new Map<bigint | string, CborValue>();
    for (let i = 0; size === undefined || i < size; i++) {
      const start = this.offset;
      if (size === undefined && this.bytes[start] === 0xff) {
        this.take(1);
        return map;
      }
      const key = this.read(depth - 1);
      if (typeof key !== "bigint" && typeof key !== "string") {
        throw new CborError({ reason: "a key is neither text nor number", offset: start });
      }
      if (map.has(key)) throw new CborError({ reason: `key ${key} comes twice`, offset: start });
      map.set(key, this.read(depth - 1));
    }
    return map;
  }

  private readArgument(information: number, start: number): bigint {
    if (information < 24) return BigInt(information);
    const size = 1 << (information - 24);
    let value = 0n;
    for (const byte of this.take(size)) value = (value << 8n) | BigInt(byte);
    const least = size === 1 ? 24n : 1n << BigInt(size * 4);
    if (value < least) throw new CborError({ reason: "not in shortest form", offset: start });
    return value;
  }

  /** Every element takes a byte at least, so that no length can be larger than what is left. */
  private toLength(argument: bigint, start: number): number {
    if (argument > BigInt(this.bytes.length - this.offset)) {
      throw new CborError({ reason: "reaches behind the end", offset: start });
    }
    return Number(argument);
  }

  private take(size: number): Uint8Array {
    if (this.offset + size > this.bytes.length) {
      throw new CborError({ reason: "reaches behind the end", offset: this.offset });
    }
    const part = this.bytes.subarray(this.offset, this.offset + size);
    this.offset += size;
    return part;
  }
}
