import { Interface } from "ethers";
import { describe, expect, it } from "vitest";
import * as generated from "../generated/abi.ts";
import { ACCESS_TABLE, selectorOf } from "../src/accessTable.ts";
import { addressBookSchema } from "../src/addressBook.ts";
import {
  CONTRACT_ROWS,
  CONTRACTS,
  ERROR_ABIS,
  INTERFACES,
  includesPart,
} from "../src/contracts.ts";

const names = CONTRACT_ROWS.map(({ name }) => name);
const ABIS: Readonly<Record<string, unknown>> = generated;

describe("the table of contracts", () => {
  it("has each contract once, and creators among them", () => {
    expect(new Set(names).size).toBe(names.length);
    for (const { name, createdBy } of CONTRACT_ROWS) {
      if (createdBy !== undefined) expect(names, name).toContain(createdBy.name);
    }
  });

  it("names the ABIs that are generated, and all of them", () => {
    for (const { name, abi } of CONTRACT_ROWS) {
      expect(generated.abis[name], name).toBe(ABIS[abi]);
      expect(generated.abis[name].length, name).toBeGreaterThan(0);
    }
    const constants = [...CONTRACT_ROWS, ...INTERFACES, ...ERROR_ABIS].map(({ abi }) => abi);
    expect(Object.keys(generated).sort()).toEqual([...constants, "abis", "errorAbis"].sort());
  });

  it("has the contracts of the access table, with the functions that it restricts", () => {
    for (const { contract, functions } of ACCESS_TABLE) {
      const abi = new Interface(generated.abis[contract]);
      for (const signature of functions) {
        expect(abi.getFunction(selectorOf(signature)), `${contract}.${signature}`).not.toBeNull();
      }
    }
  });

  it("decides what an address book must have and may have", () => {
    const problemsWith = (contracts: object) =>
      addressBookSchema.safeParse({ contracts }).error?.issues.map(({ path }) => path.join("."));
    const core = CONTRACTS.filter(({ part }) => part === "core").map(({ name }) => name);
    expect(problemsWith({})).toEqual(
      expect.arrayContaining(core.map((name) => `contracts.${name}`)),
    );
    expect(problemsWith({})).not.toContain("contracts.TEERegistry");
    expect(problemsWith({ TEERegistry: 1 })).toContain("contracts.TEERegistry");
    // A vault's code is found through its factory.
    expect(problemsWith({ VestingVault: {} })).toContain("contracts");
  });

  it("orders the parts of a deployment", () => {
    expect(includesPart("tee", "core")).toBe(true);
    expect(includesPart("tee", "tee")).toBe(true);
    expect(includesPart("tee", "governance")).toBe(false);
  });
});
