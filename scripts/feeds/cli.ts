/** `npm run feeds -- …`: feeds of data nodes, their rounds and readers. */
import { runProgram } from "../lib/program.ts";
import { feedsProgram } from "./program.ts";

await runProgram(feedsProgram());
