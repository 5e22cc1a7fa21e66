import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { StartError } from "../errors.ts";

const PROGRAM = "bin/haca-prover";

/**
 * The native prover out of the npm package for this platform, if that is installed where modules of `from` (the path of
 * one) are looked for.
 * @throws StartError `prover.checksum` when the program is not the one that the package was made with
 */
export function installedProver(parameters: { from: string }): string | undefined {
  const folder = packageFolder(parameters.from);
  if (folder === undefined) return undefined;
  const program = join(folder, PROGRAM);
  if (!existsSync(program)) return undefined;
  const sum = createHash("sha256").update(readFileSync(program)).digest("hex");
  if (checksums(folder) === `${sum}  ${PROGRAM}\n`) return program;
  throw new StartError({
    code: "prover.checksum",
    message: `${program}: its SHA-256 is ${sum}, which is not what the package's SHA256SUMS names; install the package again`,
  });
}

function packageFolder(from: string): string | undefined {
  const name = `@haca/prover-${process.platform}-${process.arch}`;
  try {
    return dirname(createRequire(from).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function checksums(folder: string): string | undefined {
  const path = join(folder, "SHA256SUMS");
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
