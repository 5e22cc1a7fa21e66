import { EPOCH_SECONDS } from "@haca/protocol/validatorStaking";

/** Rewards that came in. Amounts are smallest units of OPG, times unix seconds. */
export type Addition = { amount: bigint; at: bigint };
/** From when on the set has members, or has none. */
export type SetChange = { at: bigint; hasMembers: boolean };

/** As `ValidatorStaking` has it. */
const STREAM_SECONDS = 7n * EPOCH_SECONDS;
/** Of what is streamed in a second, so that little is not rounded away. */
export const RATE_SCALE = 10n ** 18n;

export type Stream = {
  /** smallest units of OPG a second, times `RATE_SCALE` */
  rate: bigint;
  /** smallest units that are still to be streamed */
  left: bigint;
  /** seconds until the last of what is here is streamed, if the set keeps members */
  seconds: bigint;
};

/** Seconds for which the set had members until a time: the stream's clock, which stands still otherwise. */
export function clockAt(changes: readonly SetChange[], at: bigint): bigint {
  let clock = 0n;
  let since: bigint | undefined;
  for (const change of changes) {
    if (change.at > at) break;
    if (change.hasMembers) {
      since ??= change.at;
      continue;
    }
    if (since !== undefined) clock += change.at - since;
    since = undefined;
  }
  return since === undefined ? clock : clock + at - since;
}

/** What is streamed at a time: each addition evenly from when it came until the end of the eighth day of the clock. */
export function streamAt(parameters: {
  additions: readonly Addition[];
  changes: readonly SetChange[];
  at: bigint;
}): Stream {
  const { additions, at, changes } = parameters;
  const clock = clockAt(changes, at);
  const stream: Stream = { rate: 0n, left: 0n, seconds: 0n };
  for (const addition of additions) {
    const began = clockAt(changes, addition.at);
    const end = ((began + STREAM_SECONDS) / EPOCH_SECONDS + 1n) * EPOCH_SECONDS;
    if (clock >= end) continue;
    const rate = (addition.amount * RATE_SCALE) / (end - began);
    stream.rate += rate;
    stream.left += (rate * (end - clock)) / RATE_SCALE;
    if (end - clock > stream.seconds) stream.seconds = end - clock;
  }
  return stream;
}
