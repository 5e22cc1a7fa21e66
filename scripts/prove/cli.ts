/** `npm run prove`: proves the vesting formula's properties for all schedules and times. */
import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { reportFailure } from "../lib/reportFailure.ts";
import { runSmtChecker } from "./runSmtChecker.ts";

const SOURCE = "test/contracts/proofs/VestingScheduleProof.sol";
const ASSERTS = 7;

const HELP = `Proves the asserts of ${SOURCE} with the Solidity compiler's SMTChecker and Z3, and makes sure that a
false one is refuted.

usage: npm run prove

Needs the program z3: pip install z3-solver, or the system's package.`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: "boolean", default: false } } });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const { proved, unproved } = runSmtChecker({ source: SOURCE, contract: "VestingScheduleProof" });
  for (const text of unproved) console.log(text);
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
      message: `${proved} of ${ASSERTS} asserts proved`,
    });
  }
  console.log(
    `${proved} of ${ASSERTS} asserts proved for all schedules and times, 1 false one refuted`,
  );
}

main().catch(reportFailure);
