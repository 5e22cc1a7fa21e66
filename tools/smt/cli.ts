/** `npm run verify:vesting`: proves the vesting formula's properties for all schedules and times. */
import { enterProject } from "../../scripts/lib/enterProject.ts";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { proveVesting, SOURCE } from "./proveVesting.ts";

await runProgram(
  createProgram({
    name: "verify:vesting",
    summary:
      `Proves the asserts of ${SOURCE} with the Solidity compiler's SMTChecker and Z3, and makes sure ` +
      "that a false one is refuted. Needs the program z3: pip install z3-solver, or the system's package.",
  }).action(() => {
    enterProject();
    console.log(
      `${proveVesting()} asserts proved for all schedules and times, 1 false one refuted`,
    );
  }),
);
