/** `npm run escrow -- …`: payments that wait for a settled result. */
import { runProgram } from "../lib/program.ts";
import { escrowProgram } from "./program.ts";

await runProgram(escrowProgram());
