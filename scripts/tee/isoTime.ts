/** A time for a person, from unix seconds; the seconds themselves where no calendar reaches. */
export function isoTime(unixSeconds: bigint): string {
  const date = new Date(Number(unixSeconds) * 1000);
  return Number.isNaN(date.getTime())
    ? `${unixSeconds} s`
    : date.toISOString().replace(".000Z", "Z");
}
