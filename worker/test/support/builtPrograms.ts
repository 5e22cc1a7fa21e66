import { existsSync } from "node:fs";
import { join } from "node:path";

const TARGET = join(import.meta.dirname, "../../../prover/target");

/**
 * A program of the Rust workspace: from `npm run build:prover`, or from the prover's own test suite, which runs before
 * the worker's. Absent where there is no Rust toolchain.
 */
export function builtProgram(name: string): string | undefined {
  return ["release", "debug"]
    .map((profile) => join(TARGET, profile, name))
    .find((path) => existsSync(path));
}
