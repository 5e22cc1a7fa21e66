import { BaseError } from "@haca/protocol/baseError";
import { CONTRACT_ROWS, includesPart, type Part } from "@haca/protocol/contracts";
import type { Provider } from "ethers";
import type { Deployment } from "../plan/openDeployment.ts";
import { PRECOMPILES, type Precompile } from "./precompiles.ts";
import {
  CONTROL,
  codeOfSize,
  creationOfSize,
  measurement,
  OPCODES,
  opcodesOf,
  readMeasurement,
} from "./probeCode.ts";

/** The largest transaction of the deployment takes 7.1 million, of which the estimate is exceeded by a fifth. */
const NEEDED_BLOCK_GAS = 9_000_000n;

/** What of a part of the deployment, and of those before it, does not work on a chain; errors as of `probeChain`. */
export async function probeFor(parameters: {
  deployment: Pick<Deployment, "hre" | "provider">;
  part: Part;
}): Promise<string[]> {
  const { deployment, part } = parameters;
  const { provider, hre } = deployment;
  const rows = CONTRACT_ROWS.filter((row) => includesPart(part, row.part));
  const artifacts = await Promise.all(rows.map(({ name }) => hre.artifacts.readArtifact(name)));
  return probeChain({ provider, artifacts, hasAttestation: includesPart(part, "tee") });
}

type Artifact = { contractName: string; bytecode: string; deployedBytecode: string };

/**
 * Asks a chain, before the first transaction, for everything that the contracts need of it: precompiled contracts by
 * questions with known answers and by price, opcodes, sizes, gas. Only simulates; nothing is sent.
 *
 * Returns what does not work there, a line each. Errors: `deploy.chainLacks` with all that the deployment cannot do
 * without; `deploy.cannotProbe` if the endpoint does not simulate.
 */
export async function probeChain(parameters: {
  provider: Provider;
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
    if (precompile.neededBy !== "everything" && !hasAttestation) continue;
    const problem = await probePrecompile(precompile, run);
    if (problem === undefined) continue;
    const line = `${precompile.name} (0x${precompile.address.toString(16)}) ${problem}: no ${precompile.feature}`;
    (precompile.neededBy === "nothing" ? off : lacks).push(line);
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

async function probePrecompile(
  precompile: Precompile,
  run: (data: string) => Promise<string>,
): Promise<string | undefined> {
  const { address, input, output, gasLimit } = precompile;
  const outputLength = output.length / 2 - 1;
  const answer = await run(measurement({ address, input, outputLength })).catch(() => undefined);
  if (answer === undefined) return "fails";
  const measured = readMeasurement(answer);
  if (!measured.isDone) return "fails";
  if (measured.output !== output) {
    return BigInt(measured.output) === 0n ? "is missing" : "answers wrongly";
  }
  return measured.gas > gasLimit ? `takes ${measured.gas} gas, more than ${gasLimit}` : undefined;
}
