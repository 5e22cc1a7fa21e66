import { builtProgram } from "../../worker/test/support/builtPrograms.ts";
import { type Count, countCargo, countHardhat, countPytest, countVitest } from "./counts.ts";
import type { Step } from "./lanes.ts";

export type Command = Step & {
  command: readonly string[];
  /** what its environment has beside this process's, asked for when it starts */
  environment?: () => Readonly<Record<string, string>>;
};

/** One runner over one part of the project. */
export type Suite = Command & { count: Count };

/** Compiles the contracts and their tests, and generates the ABIs; part of a run if one of its suites needs them. */
export const BUILD = {
  name: "build",
  command: ["npm", "run", "--silent", "build:tests"],
  seconds: 10,
} as const satisfies Command;

const NEEDS_CONTRACTS = [BUILD.name];

/**
 * The native prover that its suite has built, where nothing else is set: it makes the keys of a model in seconds, for which
 * snarkjs takes minutes. That is left to the suite `zkml`, and to all in the deep run.
 */
function builtProver(): Readonly<Record<string, string>> {
  const program = builtProgram("haca-prover");
  const isLeft = process.env.HACA_DEEP === "1" || process.env.HACA_PROVER !== undefined;
  return isLeft || program === undefined ? {} : { HACA_PROVER: program };
}

/** Of suites that make keys, but are not about that. */
const NEEDS_PROVER = { after: [...NEEDS_CONTRACTS, "prover"], environment: builtProver };

type When = Pick<Suite, "seconds" | "after" | "environment">;

const vitest = (
  name: string,
  folder: string,
  { shard = [], ...step }: When & { shard?: string[] },
): Suite => ({
  name,
  command: ["vitest", "run", "--root", folder, ...shard, "--reporter=default", "--reporter=json"],
  count: countVitest,
  ...step,
});

/** A long suite in parts that can run beside each other, as its files cannot in one process of vitest. */
const inParts = (name: string, folder: string, count: number, step: When): Suite[] =>
  Array.from({ length: count }, (_, index) => {
    const part = `${index + 1}/${count}`;
    const seconds = step.seconds / count;
    return vitest(`${name} (${part})`, folder, { ...step, seconds, shard: [`--shard=${part}`] });
  });

const hardhat = (name: string, runner: string, seconds: number): Suite => ({
  name,
  // What the build has made: no suite compiles under the feet of another.
  command: ["hardhat", "test", runner, "--no-compile"],
  count: countHardhat,
  seconds,
  after: NEEDS_CONTRACTS,
});

/**
 * Everything `npm test` runs; in one lane in this order, the quickest answers first. Any two may run at the same time:
 * ports are free ones, folders temporary or the suite's own, and only `end to end` writes to `deployments/`.
 */
export const SUITES: readonly Suite[] = [
  hardhat("contracts (Solidity)", "solidity", 10),
  hardhat("contracts (TypeScript)", "mocha", 440),
  vitest("protocol", "protocol", { seconds: 15, after: NEEDS_CONTRACTS }),
  vitest("attestation", "attestation", { seconds: 3 }),
  vitest("enclave simulator", "enclave-simulator", { seconds: 2 }),
  vitest("gateway", "gateway", { seconds: 75, after: NEEDS_CONTRACTS }),
  vitest("sdk", "sdk", { seconds: 50, after: NEEDS_CONTRACTS }),
  {
    name: "python client",
    command: ["node", "tools/python-client/test.ts"],
    count: countPytest,
    seconds: 40,
    after: NEEDS_CONTRACTS,
  },
  vitest("scripts", "scripts", { seconds: 30, after: NEEDS_CONTRACTS }),
  vitest("tools", "tools", { seconds: 100, after: NEEDS_CONTRACTS }),
  vitest("circuits", "circuits", { seconds: 2 }),
  vitest("model runtime", "model-runtime", { seconds: 3 }),
  vitest("zkml", "zkml", { seconds: 200, after: NEEDS_CONTRACTS }),
  {
    name: "prover",
    command: ["node", "tools/prover-build/test.ts"],
    count: countCargo,
    seconds: 350,
  },
  ...inParts("worker", "worker", 2, { seconds: 1_000, ...NEEDS_PROVER }),
  vitest("indexer", "indexer", { seconds: 530, after: NEEDS_CONTRACTS }),
  vitest("end to end", "test/e2e", { seconds: 550, ...NEEDS_PROVER }),
];
