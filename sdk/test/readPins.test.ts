import { describe, expect, it } from "vitest";
import { readPins } from "../src/readPins.ts";
import { VECTORS } from "./support/vectors.ts";

const WORD = `0x${"0a".repeat(32)}`;

describe("pins", () => {
  it("are read, bytes in either case", () => {
    expect(readPins(JSON.stringify(VECTORS.pins))).toEqual(VECTORS.pins);
    expect(readPins(JSON.stringify({ images: [`0x${"0A".repeat(32)}`] }))).toEqual({
      images: [WORD],
    });
    expect(readPins("{}")).toEqual({});
    const models = { m: { version: WORD, layoutsHash: WORD } };
    expect(readPins(JSON.stringify({ models }))).toEqual({ models });
  });

  it.each<[unknown, string]>([
    [[], "pins: must be an object"],
    [{ image: [] }, 'pins: unknown field "image"'],
    [{ images: ["0x00"] }, "pins.images[0]: must be 32 bytes, has 1"],
    [{ settlements: [{ chainId: "1" }] }, "pins.settlements[0]: the field settlement is missing"],
    [
      { models: { m: { version: WORD, inputWords: 1 } } },
      'pins.models["m"]: verifyingKeyHash and inputWords belong together',
    ],
    [
      { models: { m: { version: WORD, verifyingKeyHash: WORD, inputWords: 0.5 } } },
      'pins.models["m"].inputWords: must be a whole number',
    ],
    [{ models: { m: { version: WORD, layoutsHash: 1 } } }, 'pins.models["m"].layoutsHash: must be'],
  ])("are refused by name: %j", (value, message) => {
    expect(() => readPins(JSON.stringify(value))).toThrow(message);
  });

  it("are refused where they are no JSON", () => {
    expect(() => readPins("{")).toThrow("pins: is not JSON");
  });
});
