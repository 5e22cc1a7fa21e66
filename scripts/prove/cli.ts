/** `npm run prove`: proves the vesting formula's properties for all schedules and times. */
import { parseArgs } from "node:util";
import { reportFailure } from "../lib/reportFailure.ts";
import { proveVesting, SOURCE } from "./proveVesting.ts";

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
  console.log(`${proveVesting()} asserts proved for all schedules and times, 1 false one refuted`);
}

main().catch(reportFailure);
