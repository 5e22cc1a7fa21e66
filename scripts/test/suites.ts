import { countCargo } from "./countCargo.ts";
import { countHardhat } from "./countHardhat.ts";
import { countVitest } from "./countVitest.ts";
import type { SuiteResult } from "./suiteResult.ts";

/** One runner over one part of the project. */
export type Suite = {
  name: string;
  command: readonly string[];
  /** reads the counts from the runner's output or its report */
  count: (parameters: { output: string; report: string }) => SuiteResult;
};

const vitest = (name: string, folder: string): Suite => ({
  name,
  command: ["vitest", "run", "--root", folder, "--reporter=default", "--reporter=json"],
  count: countVitest,
});

/** Everything `npm test` runs, in order: the quickest answers first. */
export const SUITES: readonly Suite[] = [
  { name: "contracts (Solidity)", command: ["hardhat", "test", "solidity"], count: countHardhat },
  { name: "contracts (TypeScript)", command: ["hardhat", "test", "mocha"], count: countHardhat },
  vitest("protocol", "protocol"),
  vitest("attestation", "attestation"),
  vitest("enclave-simulator", "enclave-simulator"),
  vitest("scripts", "scripts"),
  vitest("circuits", "circuits"),
  vitest("zkml", "zkml"),
  { name: "prover", command: ["node", "scripts/prover/test.ts"], count: countCargo },
  // After the prover, whose programs its tests use.
  vitest("worker", "worker"),
  vitest("indexer", "indexer"),
  vitest("end to end", "test/e2e"),
];
