/** Reads bytes that come in pieces, so many at a time. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #buffer = new Uint8Array();
  #left: number;

  /** @param limit bytes that are read at most */
  constructor(pieces: AsyncIterable<Uint8Array>, limit: number) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#left = limit;
  }

  /** Throws where there are fewer. */
  async take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    if (count > this.#left + this.#buffer.length) throw new Error("more bytes than are taken");
    const pieces = [this.#buffer];
    for (let have = this.#buffer.length; have < count; ) {
      const piece = await this.#next();
      if (piece === undefined) throw new Error("ends too early");
      pieces.push(piece);
      have += piece.length;
    }
    const whole = joined(pieces);
    this.#buffer = whole.subarray(count);
    return whole.subarray(0, count);
  }

  /** What is left, to the end. */
  async rest(): Promise<Uint8Array> {
    const pieces = [this.#buffer];
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
      pieces.push(piece);
    }
    this.#buffer = new Uint8Array();
    return joined(pieces);
  }

  /** An integer of variable length as in QUIC (RFC 9000, section 16). */
  async varint(): Promise<number> {
    const [first = 0] = await this.take(1);
    const size = 1 << (first >> 6);
    const rest = await this.take(size - 1);
    const value = rest.reduce((sum, byte) => sum * 256 + byte, first & 0x3f);
    if (Number.isSafeInteger(value)) return value;
    throw new Error("a length that cannot be");
  }

  /** Lets go of whoever sends. */
  async end(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const next = await this.#pieces.next();
    if (next.done === true) return undefined;
    this.#left -= next.value.length;
    if (this.#left < 0) throw new Error("more bytes than are taken");
    return Uint8Array.from(next.value);
  }
}

/** One array of several. */
export function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
