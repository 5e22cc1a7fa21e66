import { expect, it } from "vitest";
import { addMonths } from "../src/addMonths.ts";

const seconds = (iso: string): number => Date.parse(iso) / 1000;

it.each([
  ["2026-04-08T00:00:00Z", 12, "2027-04-08T00:00:00Z"],
  ["2026-04-08T00:00:00Z", 48, "2030-04-08T00:00:00Z"],
  ["2026-04-08T00:00:00Z", 96, "2034-04-08T00:00:00Z"],
  ["2026-12-15T13:14:15Z", 1, "2027-01-15T13:14:15Z"],
  ["2026-01-31T00:00:00Z", 1, "2026-02-28T00:00:00Z"],
  ["2028-01-31T00:00:00Z", 1, "2028-02-29T00:00:00Z"],
  ["2028-02-29T12:00:00Z", 12, "2029-02-28T12:00:00Z"],
  ["2026-04-08T00:00:00Z", 0, "2026-04-08T00:00:00Z"],
])("%s plus %i months is %s", (start, months, expected) => {
  expect(addMonths({ time: seconds(start), months })).toBe(seconds(expected));
});
