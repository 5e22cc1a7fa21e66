/** What of a post counted, from its call and its events; a second implementation of the contract's median. */

/** An observation of a post. */
export type Posted = { teeId: string; value: bigint; observedAt: bigint };
export type Skipped = Posted & { reason: number };
/** `reason` is zero for what counted. */
export type Judged = Skipped;

/** Observations in the order of the call, each with the reason for which it was skipped. */
export function judgePosted(posted: readonly Posted[], skipped: readonly Skipped[]): Judged[] {
  // Equal ones have equal values and times, so that it is all the same which of them is taken for the skipped one.
  const left = [...skipped];
  return posted.map((observation) => {
    const index = left.findIndex(
      ({ observedAt, teeId, value }) =>
        teeId === observation.teeId &&
        value === observation.value &&
        observedAt === observation.observedAt,
    );
    const [found] = index < 0 ? [] : left.splice(index, 1);
    return { ...observation, reason: found?.reason ?? 0 };
  });
}

/** Lower medians of values and, apart, of times; a time ahead of the block counts as the block's. Undefined of nothing. */
export function mediansOf(
  counted: readonly Posted[],
  blockTime: bigint,
): { answer: bigint; updatedAt: bigint } | undefined {
  const answer = lowerMedian(counted.map(({ value }) => value));
  const updatedAt = lowerMedian(
    counted.map(({ observedAt }) => (observedAt > blockTime ? blockTime : observedAt)),
  );
  return answer === undefined || updatedAt === undefined ? undefined : { answer, updatedAt };
}

function lowerMedian(values: readonly bigint[]): bigint | undefined {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
