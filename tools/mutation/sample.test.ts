import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { isArgued, readEquivalents } from "./equivalent.ts";
import type { Mutant, Operator } from "./mutant.ts";
import { type Result, scoreOf } from "./report.ts";
import { drawSample, spread } from "./sample.ts";
import { suitesOf } from "./suites.ts";

const mutant = (file: string, start: number, operator: Operator = "constant"): Mutant => ({
  file,
  operator,
  start,
  end: start + 1,
  line: 1,
  original: "1",
  mutated: "2",
});

const MUTANTS = [
  ...Array.from({ length: 400 }, (_, index) => mutant("large.sol", index)),
  ...Array.from({ length: 10 }, (_, index) => mutant("large.sol", 1000 + index, "modifier")),
  ...Array.from({ length: 100 }, (_, index) => mutant("middle.sol", index)),
  mutant("small.sol", 0),
];

describe("sample", () => {
  it("is the same for a seed and another for another", () => {
    const draw = (seed: string): unknown => drawSample({ mutants: MUTANTS, size: 30, seed });
    expect(draw("1")).toEqual(draw("1"));
    expect(draw("1")).not.toEqual(draw("2"));
  });

  it("takes from every file, and never more than a file offers", () => {
    const shares = drawSample({ mutants: MUTANTS, size: 31, seed: "1" });
    const counts = Object.fromEntries(shares.map(({ file, count }) => [file, count]));
    expect(counts).toEqual({ "large.sol": 20, "middle.sol": 10, "small.sol": 1 });
  });

  it("takes a file's operators in turn and queues all its mutants once", () => {
    const [large] = drawSample({ mutants: MUTANTS, size: 30, seed: "1" }).filter(
      ({ file }) => file === "large.sol",
    );
    const operators = large?.queue.slice(0, 20).map(({ operator }) => operator) ?? [];
    expect(operators.filter((operator) => operator === "modifier")).toHaveLength(10);
    expect(new Set(large?.queue).size).toBe(410);
  });

  it("spreads fewer than there are files, and all that there are", () => {
    expect(spread({ offers: [5, 5, 5], size: 2 })).toEqual([1, 1, 0]);
    expect(spread({ offers: [5, 1, 0], size: 100 })).toEqual([5, 1, 0]);
  });
});

describe("score", () => {
  it("counts what was killed or survived, a hang as killed", () => {
    const verdicts: Result["verdict"][] = [
      "killed",
      "timeout",
      "survived",
      "invalid",
      "same",
      "argued",
    ];
    const results = verdicts.map((verdict) => ({
      mutant: mutant("a.sol", 0),
      verdict,
      seconds: 1,
    }));
    expect(scoreOf(results)).toBe(66.67);
    expect(scoreOf([])).toBeUndefined();
  });
});

describe("suites", () => {
  it("exist, for every contract", () => {
    const files = globSync("contracts/**/*.sol", { cwd: PROJECT_ROOT });
    for (const file of files.filter((name) => !name.startsWith("contracts/interfaces/"))) {
      const suites = suitesOf(file);
      expect(suites, file).toBeDefined();
      for (const suite of [...(suites?.mocha ?? []), ...(suites?.solidity ?? [])]) {
        expect(globSync(suite, { cwd: PROJECT_ROOT }), suite).toHaveLength(1);
      }
    }
  });
});

describe("argued mutants", () => {
  it("name files that exist", () => {
    for (const { file } of readEquivalents()) {
      expect(readFileSync(join(PROJECT_ROOT, file), "utf8")).not.toBe("");
    }
  });

  it("are told by file, operator and what the line becomes", () => {
    const argued = { ...mutant("a.sol", 0), line: 2 };
    const list = [
      { file: "a.sol", operator: "constant" as const, mutatedLine: "x = 2;", reason: "unused" },
    ];
    const mutatedSource = "\n  x = 2;\n";
    expect(isArgued({ mutant: argued, mutatedSource, list })).toBe(true);
    expect(isArgued({ mutant: { ...argued, file: "b.sol" }, mutatedSource, list })).toBe(false);
    expect(isArgued({ mutant: argued, mutatedSource: "\nx = 3;\n", list })).toBe(false);
  });
});
