/**
 * The same time of day `months` calendar months later (UTC), in unix seconds. A day that the month lacks becomes
 * its last day: 31 January plus one month is 28 or 29 February.
 */
export function addMonths(parameters: { time: number; months: number }): number {
  const { time, months } = parameters;
  const date = new Date(time * 1000);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime() / 1000;
}
