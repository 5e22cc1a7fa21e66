import type { Logger } from "pino";
import { findHelper } from "./findHelper.ts";
import { NativeProver } from "./nativeProver.ts";
import type { Prover } from "./prover.ts";
import { SnarkjsProver } from "./snarkjsProver.ts";

/**
 * The fastest prover there is, with one line in the log that says which.
 * @throws StartError when the configured helper does not exist
 */
export function createProver(parameters: {
  /** `HACA_PROVER` */
  setting: string | undefined;
  logger: Logger;
}): Prover {
  const { setting, logger } = parameters;
  const program = findHelper({ setting });
  const onOutput = (line: string): void => logger.debug({ line }, "prover");
  if (program === undefined) {
    logger.info(
      { prover: "snarkjs" },
      "no native prover: `npm run build:prover` makes proofs faster",
    );
    return new SnarkjsProver({ onOutput });
  }
  logger.info({ prover: program }, "native prover");
  return new NativeProver({
    program,
    onOutput,
    onFallback: (reason) => logger.warn({ reason }, "snarkjs makes this proof"),
  });
}
