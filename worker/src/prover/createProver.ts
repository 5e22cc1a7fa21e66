import { existsSync, statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { StartError } from "../errors.ts";
import { installedProver } from "./installedProver.ts";
import { NativeProver } from "./nativeProver.ts";
import type { Prover, ProvingModel } from "./prover.ts";
import { proverBudget } from "./proverBudget.ts";
import { SnarkjsPool } from "./snarkjsPool.ts";

const BUILT = join(import.meta.dirname, "../../../prover/target/release/haca-prover");

/**
 * The native prover to use: a path, or `none`, or (where nothing is set) the one of the installed package, or the one
 * that `npm run build:prover` makes. Nothing means snarkjs.
 * @throws StartError when a path is set and nothing is there
 */
export function findNativeProver(parameters: { setting: string | undefined }): string | undefined {
  const { setting } = parameters;
  if (setting === "none") return undefined;
  if (setting === undefined) {
    return (
      installedProver({ from: import.meta.filename }) ?? (existsSync(BUILT) ? BUILT : undefined)
    );
  }
  const path = resolve(setting);
  if (existsSync(path)) return path;
  throw new StartError({ code: "prover.missing", message: `HACA_PROVER: ${path} does not exist` });
}

/**
 * The fastest prover there is, with the number of jobs to give it at once, and with lines in the log that say which.
 * @throws StartError when the configured native prover does not exist
 */
export function createProver(parameters: {
  /** `HACA_PROVER` */
  setting: string | undefined;
  /** `HACA_PROVE_THREADS` */
  threads: number | undefined;
  /** what it will be asked to prove; the keys' sizes count */
  models: readonly ProvingModel[];
  logger: Logger;
}): { prover: Prover; jobs: number } {
  const { logger, models, setting } = parameters;
  const program = findNativeProver({ setting });
  const onOutput = (line: string): void => logger.debug({ line }, "prover");
  const budget = proverBudget({
    cores: availableParallelism(),
    memory: usableMemory(),
    keys: models.reduce((bytes, { zkeyPath }) => bytes + statSync(zkeyPath).size, 0),
    isNative: program !== undefined,
    setting: parameters.threads,
  });
  const { cacheMb, jobs, threads } = budget;
  if (program === undefined) {
    logger.info(
      { prover: "snarkjs", jobs, threads },
      "no native prover: `npm run build:prover` makes proofs faster",
    );
    return { prover: new SnarkjsPool({ threads, onOutput }), jobs };
  }
  logger.info({ prover: program, jobs, threads, cacheMb }, "native prover");
  const prover = new NativeProver({
    program,
    parameters: ["--cache-mb", String(cacheMb)],
    threads,
    onGreeting: ({ backends, threads: cores }) =>
      logger.info({ backends, threads: cores }, "native prover started"),
    onOutput,
    onFallback: (reason) => logger.warn({ reason }, "snarkjs makes this proof"),
  });
  return { prover, jobs };
}

/** Of the machine, or of the container that this process is in. */
function usableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
