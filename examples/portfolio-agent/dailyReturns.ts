import type { FeedRound } from "@haca/sdk/readFeed";

const DAY = 86_400n;
const WEEK = 7n;
/** The first day of unix time was a Thursday. */
const [SATURDAY, SUNDAY] = [2n, 3n];

/**
 * Log returns of the last days in basis points, oldest first, each limited: what models/brent-volatility reads. A day is one of UTC
 * that has a round, and its close is the last of them; of the present day that is the price of now. Saturdays and
 * Sundays belong to Friday: the model was trained on trading days, and days on which nothing moves would make its forecast too low.
 * @throws RangeError where the rounds do not reach back so far, or one is no price
 */
export function dailyReturns(parameters: {
  /** the latest first */
  rounds: readonly FeedRound[];
  days: number;
  limit: number;
}): number[] {
  const { rounds, days, limit } = parameters;
  const closes: FeedRound[] = [];
  for (const round of rounds) {
    const last = closes.at(-1);
    if (last === undefined || dayOf(round) !== dayOf(last)) closes.push(round);
  }
  if (closes.length < days + 1) {
    const reach = `the feed's last ${rounds.length} rounds are of ${closes.length} days`;
    throw new RangeError(`${reach}, and ${days} returns need ${days + 1}`);
  }
  const prices = closes.slice(0, days + 1).map(({ answer, round }) => {
    if (answer <= 0n) throw new RangeError(`round ${round} of the feed is no price: ${answer}`);
    return Number(answer);
  });
  return prices
    .slice(0, -1)
    .map((price, index) => {
      const change = Math.round(10_000 * Math.log(price / (prices[index + 1] as number)));
      return Math.max(-limit, Math.min(limit, change)) + 0;
    })
    .reverse();
}

/** The trading day of a round, but for holidays. */
function dayOf({ updatedAt }: FeedRound): bigint {
  const day = updatedAt / DAY;
  if (day % WEEK === SATURDAY) return day - 1n;
  return day % WEEK === SUNDAY ? day - 2n : day;
}
