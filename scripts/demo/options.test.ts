import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("parseOptions", () => {
  it("has defaults", () => {
    expect(parseOptions([])).toEqual({ count: 10, model: "digits", keep: false, help: false });
  });

  it.each([["0"], ["-1"], ["1.5"], ["101"], ["ten"], [""]])("refuses --count %j", (count) => {
    expect(() => parseOptions([`--count=${count}`])).toThrow(/--count must be a whole number/);
  });

  it.each([["nothing-there"], ["../digits"], ["Digits"], [""]])("refuses --model %j", (model) => {
    expect(() => parseOptions([`--model=${model}`])).toThrow(/--model .*there is no/);
  });

  it("refuses an option that does not exist by its name", () => {
    expect(() => parseOptions(["--cuont", "3"])).toThrow(/--cuont/);
  });
});
