import type { SolidityConfig } from "hardhat/types/config";
import { describe, expect, it } from "vitest";
import { isCompiledWith } from "./isCompiledWith.ts";

const settings = (runs: number) => ({
  evmVersion: "osaka",
  optimizer: { enabled: true, runs },
  viaIR: true,
});
const compiler = (runs: number) => ({
  version: "0.8.37",
  settings: { outputSelection: { "*": { "": ["ast"] } }, ...settings(runs) },
});
const CONFIGURED = {
  profiles: {
    default: { compilers: [compiler(1_000)], overrides: { "contracts/Large.sol": compiler(200) } },
  },
} as unknown as SolidityConfig;

const compiled = (sourceName: string, runs: number) => ({
  sourceName,
  compilerVersion: "0.8.37+commit.f401782d",
  buildInput: {
    ...{ language: "Solidity", sources: {} },
    settings: { ...settings(runs), outputSelection: {}, remappings: ["a=b"] },
  },
});
const SMALL = compiled("project/contracts/Small.sol", 1_000);

describe("what was compiled", () => {
  it.each([
    ["with the project's settings", SMALL],
    ["with the settings of its own source", compiled("project/contracts/Large.sol", 200)],
    ["of a library", compiled("npm/@openzeppelin/contracts@5.7.0/A.sol", 1_000)],
  ])("%s is up to date", (_, contract) => {
    expect(isCompiledWith(contract, CONFIGURED)).toBe(true);
  });

  it.each([
    ["for other runs", compiled("project/contracts/Small.sol", 200)],
    ["without the settings of its own source", compiled("project/contracts/Large.sol", 1_000)],
    ["by another compiler", { ...SMALL, compilerVersion: "0.8.3+commit.f401782d" }],
    [
      "with one setting more",
      {
        ...SMALL,
        buildInput: {
          ...SMALL.buildInput,
          settings: { ...SMALL.buildInput.settings, metadata: { bytecodeHash: "none" } },
        },
      },
    ],
  ])("%s is not", (_, contract) => {
    expect(isCompiledWith(contract, CONFIGURED)).toBe(false);
  });
});
