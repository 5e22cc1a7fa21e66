import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { StartError } from "../errors.ts";

const BUILT = join(import.meta.dirname, "../../../prover/target/release/haca-prover");

/**
 * The native prover to use: a path, or `none`, or (where nothing is set) the one that `npm run build:prover` makes.
 * Nothing means snarkjs.
 * @throws StartError when a path is set and nothing is there
 */
export function findNativeProver(parameters: { setting: string | undefined }): string | undefined {
  const { setting } = parameters;
  if (setting === "none") return undefined;
  if (setting === undefined) return existsSync(BUILT) ? BUILT : undefined;
  const path = resolve(setting);
  if (existsSync(path)) return path;
  throw new StartError({ code: "prover.missing", message: `HACA_PROVER: ${path} does not exist` });
}
