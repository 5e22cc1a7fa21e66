/** Prints how many milliseconds the first verification of this process took. */
import { VERIFICATIONS, type VerificationName } from "./verifications.ts";

const run = await VERIFICATIONS[process.argv[2] as VerificationName]();
const start = performance.now();
await run();
console.log(performance.now() - start);
