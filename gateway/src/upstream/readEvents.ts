const NEWLINE = 0x0a;
const RETURN = 0x0d;
const DATA = "data:";

/** The `data` of server-sent events, as bytes; whatever else an event has, and comments, are passed over. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let data: Uint8Array[] = [];
  for await (const line of linesOf(chunks)) {
    if (line.length === 0) {
      if (data.length > 0) yield Buffer.concat(data);
      data = [];
      continue;
    }
    if (line.subarray(0, DATA.length).toString("latin1") !== DATA) continue;
    const from = line[DATA.length] === 0x20 ? DATA.length + 1 : DATA.length;
    if (data.length > 0) data.push(Uint8Array.of(NEWLINE));
    data.push(line.subarray(from));
  }
}

/** Lines that have an end. Their lengths are bounded by whoever bounds the chunks. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]);
      parts = [];
      rest = rest.subarray(end + 1);
      yield line.at(-1) === RETURN ? line.subarray(0, -1) : line;
    }
    if (rest.length > 0) parts.push(rest);
  }
}
