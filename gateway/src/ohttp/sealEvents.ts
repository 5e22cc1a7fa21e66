import type { ChunkSealer } from "./sealAnswer.ts";

const END = Buffer.from("\n\n");

/**
 * A stream of server-sent events as sealed chunks, one for each event, and the final one when the stream has come to its end.
 * It is read as fast as the client takes it, and let go of when the client goes.
 */
export function sealEvents(parameters: {
  events: ReadableStream<Uint8Array>;
  sealer: ChunkSealer;
}): ReadableStream<Uint8Array> {
  const { events, sealer } = parameters;
  const reader = events.getReader();
  let isBegun = false;
  let rest = Buffer.alloc(0);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!isBegun) {
          isBegun = true;
          controller.enqueue(sealer.start);
          return;
        }
        const { done, value } = await reader.read();
        const parts: Uint8Array[] = [];
        if (value !== undefined) rest = Buffer.concat([rest, value]);
        for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END)) {
          parts.push(sealer.chunk(rest.subarray(0, end + END.length)));
          rest = rest.subarray(end + END.length);
        }
        if (done) parts.push(sealer.end());
        controller.enqueue(Uint8Array.from(Buffer.concat(parts)));
        if (done) controller.close();
      },
      async cancel(reason) {
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
