import { BaseError } from "@haca/protocol/baseError";
import { describe, expect, it } from "vitest";
import { flattenInput } from "../src/flattenInput.ts";

const shape = [1, 2, 3];

function refusal(input: readonly unknown[]): string {
  try {
    flattenInput({ input, shape });
  } catch (error) {
    if (error instanceof BaseError) {
      expect(error.message.startsWith(`${error.details.field}: `)).toBe(true);
      return `${error.code} ${error.message}`;
    }
    throw error;
  }
  return "accepted";
}

describe("flattenInput", () => {
  it("takes flat input and input of the model's shape", () => {
    expect(flattenInput({ input: [1, 2, 3, 4, 5, 6], shape })).toEqual([1, 2, 3, 4, 5, 6]);
    const nested = [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ];
    expect(flattenInput({ input: nested, shape })).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each<[readonly unknown[], string]>([
    [[], "input.wrongShape input: must have 6 elements, got 0"],
    [[1, 2, 3, 4, 5], "input.wrongShape input: must have 6 elements, got 5"],
    [[[[1, 2, 3]]], "input.wrongShape input[0]: must have 2 elements, got 1"],
    [[[[1, 2, 3], 4]], "input.wrongShape input[0][1]: must be 3 elements, got a number"],
    [
      [
        [
          [1, 2, [3]],
          [4, 5, 6],
        ],
      ],
      "input.wrongType input[0][0][2]: must be a number, got an array",
    ],
    [[1, 2, null, 4, 5, 6], "input.wrongType input[2]: must be a number, got null"],
    [[1, 2, "3", 4, 5, 6], "input.wrongType input[2]: must be a number, got a string"],
    [[1, 2, true, 4, 5, 6], "input.wrongType input[2]: must be a number, got a boolean"],
    [[1, 2, 3, 4, 5, {}], "input.wrongType input[5]: must be a number, got an object"],
    [
      [1, 2, 3, 4, 5, Number.POSITIVE_INFINITY],
      "input.notFinite input[5]: must be a finite number, got Infinity",
    ],
    [[1, 2, 3, 4, 5, Number.NaN], "input.notFinite input[5]: must be a finite number, got NaN"],
  ])("refuses %j", (input, message) => {
    expect(refusal(input)).toBe(message);
  });
});
