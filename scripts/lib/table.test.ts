import { expect, it } from "vitest";
import { formatTable } from "./table.ts";

it("aligns numbers right and words left", () => {
  const table = formatTable({
    columns: ["name", "gas"],
    rows: [
      ["settle", "1,234"],
      ["a", "9"],
    ],
  });
  expect(table.split("\n")).toEqual([
    "name      gas",
    "──────  ─────",
    "settle  1,234",
    "a           9",
  ]);
});
