const DAY = 86_400;
/** Of a week that begins with the first day of unix time, a Thursday. */
const [SATURDAY, SUNDAY] = [2, 3];

/** A moment, and the same one of so many trading days before it; unix seconds, the latest first. */
export function tradingDaysUntil(now: number, count: number): number[] {
  const times = [now];
  for (let time = beforeWeekend(now); times.length < count; times.push(time)) {
    time = beforeWeekend(time - DAY);
  }
  return times;
}

function beforeWeekend(time: number): number {
  const weekday = Math.floor(time / DAY) % 7;
  if (weekday === SATURDAY) return time - DAY;
  return weekday === SUNDAY ? time - 2 * DAY : time;
}
