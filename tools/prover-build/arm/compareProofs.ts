import { BaseError } from "@haca/protocol/baseError";
import { runTool } from "../cuda/runTool.ts";
import { cargoFor, type Platform, platformNamed } from "../platforms.ts";
import { PROVER_FOLDER } from "../runCargo.ts";

/** As `prover/crates/groth16/tests/isa.rs` marks its lines, the first of which is the instructions' name. */
const MARK = "proof: ";
const TEST = "prints_proofs_with_known_blinding";

/**
 * Makes the proofs of `isa.rs` with the plain instructions of this machine, and with each choice of the platform, and
 * compares them.
 * @returns how many were compared with one another
 * @throws BaseError `prover.proofs`
 */
export async function compareProofs(platform: Platform): Promise<number> {
  const expected = await proofs(platformNamed(undefined), "plain");
  for (const isa of ["plain", "a64"]) {
    const found = await proofs(platform, isa);
    if (found.length > 0 && found.join("\n") === expected.join("\n")) continue;
    throw new BaseError({
      code: "prover.proofs",
      message: `proofs with ${isa} on ${platform.cpu} are not those of this machine`,
    });
  }
  return expected.length;
}

async function proofs(platform: Platform, isa: string): Promise<string[]> {
  const { parameters, environment } = cargoFor(platform);
  const variables = Object.entries({ ...environment, HACA_PROVER_ISA: isa });
  const test = ["test", "--locked", ...parameters, "-p", "haca-prover-groth16", "--test", "isa"];
  const output = await runTool({
    program: "env",
    parameters: [
      ...variables.map(([name, value]) => `${name}=${value}`),
      ...["cargo", ...test, "--", "--ignored", "--nocapture", TEST],
    ],
    folder: PROVER_FOLDER,
  });
  const lines = output.split("\n").filter((line) => line.includes(MARK));
  const [name, ...found] = lines.map((line) => line.slice(line.indexOf(MARK) + MARK.length));
  if (name === isa) return found;
  throw new BaseError({
    code: "prover.proofs",
    message: `${isa} was asked for on ${platform.cpu}, and ${name ?? "nothing"} was used`,
  });
}
