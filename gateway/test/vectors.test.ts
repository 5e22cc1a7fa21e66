import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeVectors } from "../../tools/receipts/makeVectors.ts";

const FOLDER = join(import.meta.dirname, "../../docs/receipts/vectors");

describe("docs/receipts/vectors", () => {
  const made = makeVectors();

  it("has the files that the script writes, and no others", () => {
    // The receipts' keys are drawn anew each time: the SDK's tests read them.
    expect(readdirSync(FOLDER).sort()).toEqual([...made.keys(), "receipts.json"].sort());
  });

  for (const [name, text] of made) {
    it(`${name} is byte for byte what the code makes`, () => {
      expect(readFileSync(join(FOLDER, name), "utf8")).toBe(text);
    });
  }
});
