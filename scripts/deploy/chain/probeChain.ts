import { BaseError } from "@haca/protocol/baseError";
import { CONTRACT_ROWS, includesPart, type Part } from "@haca/protocol/contracts";
import { dataLength, type Provider } from "ethers";
import type { Deployment } from "../plan/openDeployment.ts";
import { FAILS, NOTHING, PRECOMPILES, type Precompile, type Question } from "./precompiles.ts";
import {
  CONTROL,
  codeOfSize,
  creationOfSize,
  measurement,
  OPCODES,
  opcodesOf,
  readMeasurement,
} from "./probeCode.ts";

/** The largest transaction of the deployment takes 7.4 million, of which the estimate is exceeded by a fifth. */
const NEEDED_BLOCK_GAS = 9_000_000n;

/** What of a part of the deployment, and of those before it, does not work on a chain; errors as of `probeChain`. */
export async function probeFor(parameters: {
  deployment: Pick<Deployment, "hre" | "provider">;
  part: Part;
  /** whether the escrow is among what is deployed */
  hasEscrow: boolean;
}): Promise<string[]> {
  const { deployment, hasEscrow, part } = parameters;
  const { provider, hre } = deployment;
  const rows = CONTRACT_ROWS.filter(
    (row) => includesPart(part, row.part) && (hasEscrow || row.isOptional !== true),
  );
  const artifacts = await Promise.all(rows.map(({ name }) => hre.artifacts.readArtifact(name)));
  return probeChain({ provider, artifacts, hasAttestation: includesPart(part, "tee") });
}

type Artifact = { contractName: string; bytecode: string; deployedBytecode: string };

/**
 * Asks a chain, before the first transaction, for everything that the contracts need of it: precompiled contracts by
 * questions with known answers, right and wrong ones, and by price, opcodes, sizes, gas. Only simulates; nothing is sent.
 *
 * Returns what does not work there, a line each. Errors: `deploy.chainLacks` with all that the deployment cannot do
 * without; `deploy.cannotProbe` if the endpoint does not simulate.
 */
export async function probeChain(parameters: {
  provider: Pick<Provider, "call" | "getBlock">;
  /** of all contracts that the deployment creates */
  artifacts: readonly Artifact[];
  /** whether attestation is among what is deployed */
  hasAttestation: boolean;
}): Promise<string[]> {
  const { provider, artifacts, hasAttestation } = parameters;
  const run = (data: string): Promise<string> => provider.call({ data });
  const runs = (data: string): Promise<boolean> =>
    run(data).then(
      () => true,
      () => false,
    );
  const control = await run(CONTROL).catch(() => undefined);
  if (control === undefined || BigInt(control === "0x" ? 0 : control) !== 1n) {
    throw new BaseError({
      code: "deploy.cannotProbe",
      message:
        "the endpoint does not simulate the creation of a contract (eth_call without a target), so that nobody can say whether this chain has what the contracts need: use another endpoint",
    });
  }

  const lacks: string[] = [];
  const off: string[] = [];
  for (const precompile of PRECOMPILES) {
    const { name, address, feature, neededBy, alternative } = precompile;
    if (neededBy === "attestation" && !hasAttestation) continue;
    const contract = artifacts.find(({ contractName }) => contractName === neededBy);
    const isOptional = neededBy === "PageSettlement" && contract === undefined;
    if (isOptional && !hasAttestation) continue;
    const problem = await probePrecompile(precompile, run);
    if (problem === undefined) continue;
    const line = `${name} (0x${address.toString(16)}) ${problem.text}: no ${feature}`;
    // One that takes wrong for right is worse than none: whoever relies on it believes forgeries.
    if (isOptional && problem.isHarmless) off.push(`${line} (${alternative})`);
    else lacks.push(contract === undefined ? line : `${line}, and no ${neededBy}`);
  }

  for (const { name, opcode, program } of OPCODES) {
    const users = artifacts
      .filter(({ bytecode, deployedBytecode }) =>
        [bytecode, deployedBytecode].some((code) => opcodesOf(code).has(opcode)),
      )
      .map(({ contractName }) => contractName);
    if (users.length > 0 && !(await runs(program))) {
      lacks.push(`opcode ${name} is unknown: ${users.join(", ")} cannot run`);
    }
  }

  const largest = (field: "bytecode" | "deployedBytecode"): number =>
    Math.max(...artifacts.map((artifact) => artifact[field].length / 2 - 1));
  const code = largest("deployedBytecode");
  if (!(await runs(codeOfSize(code)))) lacks.push(`contracts of ${code} bytes are refused`);
  const creation = largest("bytecode");
  if (!(await runs(creationOfSize(creation)))) {
    lacks.push(`creations of ${creation} bytes are refused`);
  }
  const blockGas = (await provider.getBlock("latest"))?.gasLimit ?? 0n;
  if (blockGas < NEEDED_BLOCK_GAS) {
    lacks.push(`a block takes ${blockGas} gas, the largest transaction needs ${NEEDED_BLOCK_GAS}`);
  }

  if (lacks.length > 0) {
    throw new BaseError({
      code: "deploy.chainLacks",
      message: `this chain lacks what the contracts need, nothing deployed: ${lacks.join("; ")}`,
      details: { lacks },
    });
  }
  return off;
}

type Run = (data: string) => Promise<string>;

async function probePrecompile(
  precompile: Precompile,
  run: Run,
): Promise<{ text: string; isHarmless: boolean } | undefined> {
  const { address, questions, gasLimit } = precompile;
  const [first, ...others] = questions;
  const measured = await ask({ address, question: first, run });
  if (measured === undefined) return { text: "fails", isHarmless: true };
  if (measured.output !== first.answer) {
    const isEmpty = BigInt(measured.output === NOTHING ? 0 : measured.output) === 0n;
    return { text: isEmpty ? "is missing" : "answers wrongly", isHarmless: isEmpty };
  }
  for (const question of others) {
    const gas = question.answer === FAILS ? { gas: gasLimit } : {};
    const answer = (await ask({ address, question, run, ...gas }))?.output ?? FAILS;
    if (answer !== question.answer) return { text: "takes wrong for right", isHarmless: false };
  }
  if (measured.gas <= gasLimit) return undefined;
  return { text: `takes ${measured.gas} gas, more than ${gasLimit}`, isHarmless: true };
}

/** What a precompiled contract says; nothing where the call fails. */
async function ask(parameters: {
  address: number;
  question: Question;
  run: Run;
  gas?: number;
}): Promise<{ gas: number; output: string } | undefined> {
  const { address, question, run, gas } = parameters;
  const { input, answer } = question;
  // Room for a word at least, so that an answer where none is to come is seen.
  const outputLength = Math.max(32, answer === FAILS ? 0 : dataLength(answer));
  const program = measurement({
    ...{ address, input, outputLength },
    ...(gas === undefined ? {} : { gas }),
  });
  const said = await run(program).catch(() => undefined);
  if (said === undefined) return undefined;
  const { isDone, ...measured } = readMeasurement(said);
  return isDone ? measured : undefined;
}
