/** `npm run verify:stake`: proves the properties of shares of pools for all amounts. */
import { proofProgram } from "./proofProgram.ts";

await proofProgram("stake");
