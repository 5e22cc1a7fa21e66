import { describe, expect, it } from "vitest";
import { checkGas } from "./checkGas.ts";

const CLAIMS = { "a.md": ["settling costs {settle} gas", "about {attest M}M"] };
const SNAPSHOT = JSON.stringify({ settle: 259_833, attest: 7_763_767 });
const TRUE_TEXT = "Here settling\ncosts 259,833 gas, attesting about 7.8M.\n";
const TABLE = "| what | gas | budget |\n|---|---:|---:|\n| settle | 259,833 | 275,000 |\n";

const check = (text: string, snapshot = SNAPSHOT) =>
  checkGas({ read: (file) => (file === "a.md" ? text : snapshot) }, CLAIMS, ["a.md"]);

describe("figures of gas in documents", () => {
  it("are the snapshot's", () => expect(check(TRUE_TEXT + TABLE)).toEqual([]));

  it("are refused when one digit differs", () => {
    expect(check(TRUE_TEXT.replace("833", "834"))).toEqual([
      'a.md: by test/snapshots/gas.json it must say "settling costs 259,833 gas"',
    ]);
  });

  it("are refused when a rounded one is no longer that", () => {
    expect(check(TRUE_TEXT.replace("7.8M", "7.7M"))).toEqual([
      'a.md: by test/snapshots/gas.json it must say "about 7.8M"',
    ]);
  });

  it("are refused in a table's column gas, and only there, when no snapshot has them", () => {
    expect(check(`${TRUE_TEXT}\n${TABLE.replace("259,833", "259,833 / 1,234")}`)).toEqual([
      "a.md:6: 1,234 gas is in no figure of test/snapshots/gas.json",
    ]);
  });

  it("include every one of the snapshot", () => {
    const more = JSON.stringify({ ...JSON.parse(SNAPSHOT), other: 1 });
    expect(check(TRUE_TEXT, more)).toEqual(["test/snapshots/gas.json: no document tells other"]);
  });

  it("are refused when the snapshot has lost one", () => {
    expect(check(TRUE_TEXT, JSON.stringify({ settle: 259_833 }))).toEqual([
      expect.stringContaining("no figure attest"),
    ]);
  });
});
