import { spawn } from "node:child_process";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

/** The Rust workspace of the prover. */
export const PROVER_FOLDER = join(PROJECT_ROOT, "prover");

/** Cargo is not on the PATH. */
export class CargoMissing extends BaseError {}

/**
 * Runs cargo in the prover's folder, or another, with its output shown.
 * @returns its exit status
 * @throws CargoMissing
 */
export function runCargo(parameters: {
  parameters: readonly string[];
  folder?: string;
  environment?: Record<string, string>;
}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("cargo", parameters.parameters, {
      cwd: parameters.folder ?? PROVER_FOLDER,
      env: { ...process.env, ...parameters.environment },
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? cargoMissing(error) : error),
    );
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function cargoMissing(cause: Error): CargoMissing {
  return new CargoMissing({
    code: "prover.noCargo",
    message:
      "cargo is not installed: the native prover needs a Rust toolchain (https://rustup.rs, 1.95 or newer). Without it proofs are made by snarkjs.",
    cause,
  });
}
