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
  storage: new Map([
    ["TEERegistry", [{ name: "a", type: "uint64", slot: "0", offset: "0", bytes: "8" }]],
  ]),
};
/** Of a contract that witnesses show, and of another one. */
const LAYOUT = {
  storage: [{ label: "a", offset: 0, slot: "0", type: "t_uint64" }],
  types: { t_uint64: { label: "uint64", numberOfBytes: "8" } },
};
const CONTRACTS = {
  "project/A.sol": { TEERegistry: { storageLayout: LAYOUT }, Other: { storageLayout: LAYOUT } },
};

let folder: string;
let outputPath: string;
let keptPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-syntax-"));
  outputPath = join(folder, "output.json");
  keptPath = join(folder, "cache", "id.json");
  writeFileSync(outputPath, JSON.stringify({ output: { sources: TREES, contracts: CONTRACTS } }));
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

  it.each(["", "{", "[]", "null", '{"immutableNames":[]}', '{"immutableNames":[],"imports":[]}'])(
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
