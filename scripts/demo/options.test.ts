import { describe, expect, it } from "vitest";
import { checkOptions } from "./options.ts";

describe("checkOptions", () => {
  const given = { count: "10", model: "digits", keep: false };

  it("takes what is there", () => {
    expect(checkOptions(given)).toEqual({ count: 10, model: "digits", keep: false });
  });

  it.each([["0"], ["-1"], ["1.5"], ["101"], ["ten"], [""]])("refuses --count %j", (count) => {
    expect(() => checkOptions({ ...given, count })).toThrow(/--count must be an integer/);
  });

  it.each([["nothing-there"], ["../digits"], ["Digits"], [""]])("refuses --model %j", (model) => {
    expect(() => checkOptions({ ...given, model })).toThrow(/--model .*there is no/);
  });
});
