import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { applyMutant, type Mutant } from "./mutant.ts";
import { mutantsOf } from "./solidityMutators.ts";

const solc: { compile: (input: string) => string } = createRequire(import.meta.url)("solc");

function parse(source: string): unknown {
  const input = {
    language: "Solidity",
    sources: { "a.sol": { content: source } },
    settings: { outputSelection: { "*": { "": ["ast"] } } },
  };
  const { errors = [], sources } = JSON.parse(solc.compile(JSON.stringify(input)));
  const fatal = errors.filter(({ severity }: { severity: string }) => severity === "error");
  expect(fatal).toEqual([]);
  return sources["a.sol"].ast;
}

const contract = (body: string): string => `pragma solidity 0.8.37;\ncontract A {\n${body}\n}\n`;

const inFunction = (statements: string): string =>
  contract(`uint256 s; event E(uint256 x); error F();
modifier only() { _; }
function f(uint256 a, uint256 b, bool c, bool d) external only returns (uint256 r) {\n${statements}\n}`);

function mutate(source: string): Mutant[] {
  return mutantsOf({ file: "a.sol", source, ast: parse(source) });
}

/** What the mutants of one operator make of a body, a line each. */
function changes(body: string, operator: Mutant["operator"]): string[] {
  return mutate(inFunction(body))
    .filter((mutant) => mutant.operator === operator)
    .map(({ original, mutated }) => `${original} → ${mutated}`);
}

describe("mutators", () => {
  it("swap comparisons for their neighbour and their opposite", () => {
    expect(changes("c = a < b; d = a == b;", "comparison")).toEqual([
      "< → <=",
      "< → >=",
      "== → !=",
    ]);
  });

  it("swap arithmetic, in assignments and steps too", () => {
    expect(changes("r = a + b; r *= a; r++; --r; r = a << b;", "arithmetic")).toEqual([
      "+ → -",
      "*= → /=",
      "r++ → r--",
      "--r → ++r",
      "<< → >>",
    ]);
  });

  it("swap && and ||", () => {
    expect(changes("c = c && d; d = c || d;", "boolean")).toEqual(["&& → ||", "|| → &&"]);
  });

  it("negate conditions that have no opposite among the comparisons", () => {
    const body = 'if (c) r = 1; if (a < b) r = 1; require(c || d, "x"); r = c ? a : b; c = !d;';
    expect(changes(body, "condition")).toEqual([
      "c → !(c)",
      "c || d → !(c || d)",
      "c → !(c)",
      "!d → d",
    ]);
  });

  it("delete statements, but no part of a for's head", () => {
    const body = "emit E(a); s = a; if (c) revert F(); for (r = 0; r < a; r++) delete s;";
    expect(changes(body, "statement")).toEqual([
      "emit E(a); → {}",
      "s = a; → {}",
      "revert F(); → {}",
      "delete s; → {}",
    ]);
  });

  it("delete modifiers and leave visibility and base constructors alone", () => {
    expect(changes("r = a;", "modifier")).toEqual(["only → "]);
    const source =
      "contract B { constructor(uint256) {} } contract A is B { constructor() B(1) {} }";
    expect(mutate(source).map(({ operator }) => operator)).toEqual(["constant"]);
  });

  it("change constants, with their unit, but no type", () => {
    expect(changes("uint256[2] memory x; r = 7 days; c = true; x;", "constant")).toEqual([
      "7 days → (7 days + 1)",
      "true → false",
    ]);
  });

  it("change assembly by its own syntax tree", () => {
    const body = "assembly { r := add(a, 0x20) if iszero(r) { mstore(0, r) } }";
    const found = mutate(inFunction(body)).map(
      ({ original, mutated }) => `${original} → ${mutated}`,
    );
    expect(found).toEqual(
      expect.arrayContaining([
        "add → sub",
        "0x20 → 0x21",
        "iszero → not",
        "r := add(a, 0x20) → {}",
        "mstore(0, r) → {}",
      ]),
    );
  });

  it("find an operator behind a comment that names another, and beside letters of several bytes", () => {
    const source = inFunction("/* “ü” */ c = a /* < or <= */ < b;");
    const [mutant] = mutate(source).filter(({ operator }) => operator === "comparison");
    if (mutant === undefined) throw new Error("no mutant");
    expect(applyMutant({ source, mutant })).toContain("c = a /* < or <= */ <= b;");
    expect(source.split("\n")[mutant.line - 1]).toContain("“ü”");
  });

  it("give sources that still parse", () => {
    const source = inFunction("if (c && !d) { r = a + 1; emit E(r); } else revert F();");
    const mutants = mutate(source);
    expect(mutants.length).toBeGreaterThan(8);
    for (const mutant of mutants) parse(applyMutant({ source, mutant }));
  });
});
