import { dirname, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { runTool } from "../cuda/runTool.ts";
import { builtProgram, cargoFor, emulation, type Platform, platformNamed } from "../platforms.ts";
import { runCargo } from "../runCargo.ts";

/**
 * Proves a small circuit with the platform's program, held to each of its instructions, and verifies the proofs with
 * this machine's.
 * @returns the instructions
 * @throws BaseError `prover.arm`, and `cuda.tool` when a program fails
 */
export async function proveOnBoth(parameters: {
  arm: Platform;
  folder: string;
}): Promise<string[]> {
  const { arm, folder } = parameters;
  const cross = cargoFor(arm);
  const programs = ["build", "--locked", "--bin", "haca-prover"];
  await built({ parameters: [...programs, "--bin", "haca-test-setup"] });
  await built({ ...cross, parameters: [...programs, ...cross.parameters] });

  const own = builtProgram(platformNamed(undefined), "debug");
  const foreign = [...(emulation(arm) ?? []), builtProgram(arm, "debug")];
  const setup = join(dirname(own), "haca-test-setup");
  await runTool({ program: setup, parameters: ["model", "10", "1", join(folder, "circuit")] });
  const isas = ["plain", "a64"];
  for (const isa of isas) {
    const run = (...command: string[]): Promise<string> =>
      runTool({
        program: "env",
        parameters: [`HACA_PROVER_ISA=${isa}`, ...foreign, ...command],
        folder,
      });
    expectText(await run("--version"), new RegExp(`\\(${isa}\\)\n$`));
    await run("prove", "circuit.zkey", "circuit.wtns", "proof.json", "public.json");
    const verify = ["verify", "circuit.zkey", "public.json", "proof.json"];
    expectText(await runTool({ program: own, parameters: verify, folder }), /^valid\n$/);
    expectText(await run(...verify), /^valid\n$/);
  }
  return isas;
}

async function built(parameters: Parameters<typeof runCargo>[0]): Promise<void> {
  if ((await runCargo(parameters)) !== 0) throw failed("cargo failed: see above");
}

function expectText(text: string, expected: RegExp): void {
  if (!expected.test(text)) throw failed(`${JSON.stringify(text)} does not match ${expected}`);
}

function failed(message: string): BaseError {
  return new BaseError({ code: "prover.arm", message });
}
