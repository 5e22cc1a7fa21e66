import type { FeedRound } from "@haca/sdk/readFeed";

const DAY = 86_400n;

/**
 * Log returns of the last days in basis points, oldest first, each limited: what models/brent-volatility reads. A day is one of UTC
 * that has a round, and its close is the last of them; of the present day that is the price of now.
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
    if (round.updatedAt / DAY !== (closes.at(-1)?.updatedAt ?? -1n) / DAY) closes.push(round);
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
