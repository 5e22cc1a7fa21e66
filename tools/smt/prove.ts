import { BaseError } from "@haca/protocol/baseError";
import type { Proof } from "./proofs.ts";
import { runSmtChecker } from "./runSmtChecker.ts";

/**
 * Proves every assert of a proof, and has a false one refuted, without which the proofs would say nothing. Returns how many
 * were proved, which is all of them.
 * @throws BaseError `prove.unsound`, `prove.failed` with what was not proved, or the errors of `runSmtChecker`
 */
export function prove({ source, contract, counterproof, asserts }: Proof): number {
  const { proved, unproved } = runSmtChecker({ source, contract });
  const control = runSmtChecker({ source, contract: counterproof });
  if (control.proved !== 0 || control.unproved.length !== 1) {
    throw new BaseError({
      code: "prove.unsound",
      message: "the solver did not refute what is false",
    });
  }
  if (proved !== asserts) {
    throw new BaseError({
      code: "prove.failed",
      message: [`${proved} of ${asserts} asserts proved`, ...unproved].join("\n"),
    });
  }
  return proved;
}
