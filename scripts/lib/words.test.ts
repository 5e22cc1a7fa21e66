import { expect, it } from "vitest";
import { folded, printable } from "./words.ts";

it.each([
  ["node.example:443", "node.example:443"],
  ["Zürich, 東京", "Zürich, 東京"],
  ["a\u001b[2Jb", "a?[2Jb"],
  ["a\nb\r\u2028c\td", "a?b??c?d"],
  ["right\u202eleft\u200b", "right?left?"],
])("prints %j as %j", (text, expected) => {
  expect(printable(text)).toBe(expected);
});

it("folds a text at 80 columns, between words, and leaves a longer word whole", () => {
  const text = `${"word ".repeat(20)}${"x".repeat(90)} end`;
  const lines = folded(text, "  ").split("\n");
  expect(lines.map((line) => line.trim()).join(" ")).toBe(text);
  expect(lines.map((line) => line.length)).toEqual([76, 26, 92, 5]);
  expect(folded("a b", "")).toBe("a b");
});
