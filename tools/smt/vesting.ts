/** `npm run verify:vesting`: proves the vesting formula's properties for all schedules and times. */
import { proofProgram } from "./proofProgram.ts";

await proofProgram("vesting");
