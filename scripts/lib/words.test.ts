import { expect, it } from "vitest";
import { printable } from "./words.ts";

it.each([
  ["node.example:443", "node.example:443"],
  ["Zürich, 東京", "Zürich, 東京"],
  ["a\u001b[2Jb", "a?[2Jb"],
  ["a\nb\r\u2028c\td", "a?b??c?d"],
  ["right\u202eleft\u200b", "right?left?"],
])("prints %j as %j", (text, expected) => {
  expect(printable(text)).toBe(expected);
});
