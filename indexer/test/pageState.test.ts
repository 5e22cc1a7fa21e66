import { expect, test } from "vitest";
import { pageState, worthOf } from "../src/pages/pageState.ts";

const open = { outcome: "open", openRequests: 0, openDemands: 0, end: 100n } as const;

test.each([
  [open, 0n, "pending", 100n],
  // The last second is pending still, as in the contract.
  [open, 100n, "pending", 100n],
  [open, 101n, "final", null],
  [{ ...open, openRequests: 1 }, 50n, "pending", null],
  // However late it is.
  [{ ...open, openRequests: 1 }, 10n ** 12n, "pending", null],
  [{ ...open, openDemands: 1 }, 10n ** 12n, "pending", null],
  [{ ...open, outcome: "released" }, 101n, "final", null],
  [{ ...open, outcome: "rejected", openRequests: 2 }, 50n, "rejected", null],
  [{ ...open, outcome: "rejected" }, 500n, "rejected", null],
  [{ ...open, outcome: "disproved" }, 500n, "disproved", null],
] as const)("a page with %o is at %s %s until %s", (page, at, state, until) => {
  expect(pageState({ page, at })).toEqual({ state, until });
});

test.each([
  ["optimistic", null, "optimistic, unchallenged"],
  ["tee", null, "unchallenged"],
  ["tee", 5n, "vouched for by two thirds of the stake, unchallenged"],
] as const)("a final page of kind %s, attested at %s, is worth: %s", (kind, attestedAt, worth) => {
  expect(worthOf({ page: { kind, attestedAt }, state: "final" })).toBe(worth);
  for (const state of ["pending", "rejected", "disproved"] as const) {
    expect(worthOf({ page: { kind, attestedAt }, state })).toBeNull();
  }
});
