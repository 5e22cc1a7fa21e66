/** `npm run stake -- …`: validators, stake and rewards. */
import { runProgram } from "../lib/program.ts";
import { stakeProgram } from "./program.ts";

await runProgram(stakeProgram());
