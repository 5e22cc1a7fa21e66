import { expect, it } from "vitest";
import { SamePayments } from "../src/payments/samePayments.ts";

it("a request that paid nothing, and one whose time is over, take no memory", () => {
  const same = new SamePayments<object>(60_000);
  const asked = {};
  same.remember("a", asked);
  expect([same.find("a"), same.size]).toEqual([asked, 1]);
  same.forget("a", asked);
  expect([same.find("a"), same.size]).toEqual([undefined, 0]);
  const over = new SamePayments<object>(0);
  over.remember("a", asked);
  over.prune();
  expect([over.find("a"), over.size]).toEqual([undefined, 0]);
});
