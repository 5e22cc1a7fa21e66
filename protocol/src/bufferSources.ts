/** What libraries over WebCrypto take for bytes. */
export const bytesOf = (given: ArrayBufferLike | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(given)
    ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
    : new Uint8Array(given);

/** What they give back: a copy. */
export const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
