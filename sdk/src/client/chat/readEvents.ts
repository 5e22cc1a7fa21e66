const DATA = "data:";

/** The `data` of server-sent events; whatever else an event has, and comments, are passed over. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  for await (const line of linesOf(chunks)) {
    if (line !== "") {
      if (line.startsWith(DATA)) data.push(line.slice(DATA.length).replace(/^ /, ""));
      continue;
    }
    if (data.length > 0) yield data.join("\n");
    data = [];
  }
}

/** Lines that have an end; their lengths are bounded by whoever bounds the chunks. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Of a line that is not whole yet: put together once, at its end.
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const [first = "", ...rest] = decoder.decode(chunk, { stream: true }).split("\n");
    parts.push(first);
    for (const next of rest) {
      yield parts.join("").replace(/\r$/, "");
      parts = [next];
    }
  }
}
