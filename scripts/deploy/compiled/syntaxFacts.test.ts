import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { syntaxFacts } from "./syntaxFacts.ts";

const TREES = {
  "project/A.sol": {
    ast: {
      id: 1,
      nodes: [
        { id: 2, absolutePath: "project/B.sol" },
        {
          id: 3,
          nodes: [
            { id: 4, name: "WINDOW", mutability: "immutable" },
            { id: 5, name: "total", mutability: "mutable" },
          ],
        },
      ],
    },
  },
  "project/B.sol": { ast: { id: 6 } },
};
const FACTS = {
  immutableNames: new Map([[4, "WINDOW"]]),
  imports: new Map([
    ["project/A.sol", ["project/B.sol"]],
    ["project/B.sol", []],
  ]),
};

let folder: string;
let outputPath: string;
let keptPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-syntax-"));
  outputPath = join(folder, "output.json");
  keptPath = join(folder, "cache", "id.json");
  writeFileSync(outputPath, JSON.stringify({ output: { sources: TREES } }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("facts of syntax trees", () => {
  it("are immutables by number, and imports by source", () => {
    expect(syntaxFacts({ outputPath, keptPath })).toEqual(FACTS);
  });

  it("are read from the trees once", () => {
    syntaxFacts({ outputPath, keptPath });
    rmSync(outputPath);
    expect(syntaxFacts({ outputPath, keptPath })).toEqual(FACTS);
  });

  it.each(["", "{", "[]", "null", '{"immutableNames":[]}'])(
    "are made anew where %j was kept",
    (text) => {
      syntaxFacts({ outputPath, keptPath });
      const good = readFileSync(keptPath, "utf8");
      writeFileSync(keptPath, text);
      expect(syntaxFacts({ outputPath, keptPath })).toEqual(FACTS);
      expect(readFileSync(keptPath, "utf8")).toBe(good);
    },
  );

  it("are there where nothing can be kept", () => {
    writeFileSync(join(folder, "cache"), "a file in the folder's place");
    expect(syntaxFacts({ outputPath, keptPath })).toEqual(FACTS);
  });
});
