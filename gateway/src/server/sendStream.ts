const encoder = new TextEncoder();

/**
 * The body of a streamed answer: an event is asked for when the client's connection has room for it. Whatever becomes of the
 * client, the events are asked for to their end.
 * @param parameters.onGone called once where the client goes before the end
 * @param parameters.onStall called where the client has taken nothing for `stallMs`: closes its connection
 */
export function sendStream<End>(parameters: {
  events: AsyncGenerator<string, End, boolean>;
  stallMs: number;
  onGone: () => void;
  onStall: () => void;
  onEnd: (end: End) => void;
}): ReadableStream<Uint8Array> {
  const { events, onEnd, onGone, onStall, stallMs } = parameters;
  let isGone = false;
  let isAsking = false;
  let stall: NodeJS.Timeout | undefined;

  /** Lets the rest be made for nobody. */
  async function finish(wasSent: boolean): Promise<void> {
    let next = await events.next(wasSent);
    while (next.done !== true) next = await events.next(false);
    onEnd(next.value);
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(stall);
        isAsking = true;
        const next = await events.next(true);
        isAsking = false;
        if (next.done === true) {
          onEnd(next.value);
          if (!isGone) controller.close();
        } else if (isGone) {
          await finish(false);
        } else {
          controller.enqueue(encoder.encode(next.value));
          stall = setTimeout(onStall, stallMs);
        }
      },
      async cancel() {
        clearTimeout(stall);
        isGone = true;
        onGone();
        if (!isAsking) await finish(true);
      },
    },
    { highWaterMark: 0 },
  );
}
