import { BaseError } from "@haca/protocol/baseError";
import { runSmtChecker } from "./runSmtChecker.ts";

export const SOURCE = "test/contracts/proofs/VestingScheduleProof.sol";
const ASSERTS = 7;

/**
 * Proves every assert about the vesting formula, and has a false one refuted, without which the proofs would say
 * nothing. Returns how many were proved, which is all of them.
 * @throws BaseError `prove.unsound`, `prove.failed` with what was not proved, or the errors of `runSmtChecker`
 */
export function proveVesting(): number {
  const { proved, unproved } = runSmtChecker({ source: SOURCE, contract: "VestingScheduleProof" });
  const control = runSmtChecker({ source: SOURCE, contract: "VestingScheduleCounterproof" });
  if (control.proved !== 0 || control.unproved.length !== 1) {
    throw new BaseError({
      code: "prove.unsound",
      message: "the solver did not refute what is false",
    });
  }
  if (proved !== ASSERTS) {
    throw new BaseError({
      code: "prove.failed",
      message: [`${proved} of ${ASSERTS} asserts proved`, ...unproved].join("\n"),
    });
  }
  return proved;
}
