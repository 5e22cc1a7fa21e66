import { expect, it } from "vitest";
import { Arguments } from "./arguments.ts";

const of = (...values: string[]): Arguments => new Arguments({ values, usage: "do <it>" });
const LIMITS = { minimum: 1n, maximum: 9n };

it("reads values in their order", () => {
  const values = of("a", "7", "1.5", "0x12", `0x${"ab".repeat(20)}`);
  expect(values.text("name")).toBe("a");
  expect(values.integer("number", LIMITS)).toBe(7n);
  expect(values.tokens("amount")).toBe(1_500_000_000_000_000_000n);
  expect(values.bytes("hash", 1)).toBe("0x12");
  expect(values.address("who").toLowerCase()).toBe(`0x${"ab".repeat(20)}`);
  expect(values.optional()).toBeUndefined();
  values.end();
  expect(of("more").optional()).toBe("more");
});

it.each([
  ["a missing value", () => of().text("name"), "name is missing; usage: do <it>"],
  ["a number too small", () => of("0").integer("number", LIMITS), "no integer from 1 to 9"],
  ["a number too large", () => of("10").integer("number", LIMITS), "no integer from 1 to 9"],
  ["a fraction", () => of("1.5").integer("number", LIMITS), "no integer"],
  ["19 decimals", () => of(`0.${"1".repeat(19)}`).tokens("amount"), "no amount of OPG"],
  ["short bytes", () => of("0x12").bytes("hash", 2), "must be 0x and 4 hex digits"],
  ["no address", () => of("0x12").address("who"), "who 0x12 is no address"],
  ["an address without 0x", () => of("ab".repeat(20)).address("who"), "is no address"],
  ["a surplus value", () => of("more").end(), "one argument too many"],
])("refuses %s", (_, read, text) => {
  expect(read).toThrow(text);
});
