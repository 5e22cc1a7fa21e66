import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * The native prover out of the npm package for this platform, if that is installed where modules of `from` (the path of
 * one) are looked for.
 */
export function installedProver(parameters: { from: string }): string | undefined {
  const name = `@haca/prover-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(parameters.from).resolve(`${name}/package.json`);
    const program = join(dirname(manifest), "bin", "haca-prover");
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}
