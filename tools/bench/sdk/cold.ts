/** Prints how many milliseconds the first verification of this process took. */
import { givenFor } from "./givenFor.ts";
import { VERIFICATIONS, type VerificationName } from "./verifications.ts";

const name = process.argv[2] as VerificationName;
const run = VERIFICATIONS[name](givenFor(name));
const start = performance.now();
await run();
console.log(performance.now() - start);
