import { writeFileSync } from "node:fs";
import { makeKeyVectors } from "../contracts/utils/verifyingKeyVectors.ts";

/** Writes the vectors anew: `node test/vectors/generate.ts`. */
const path = new URL("verifyingKeys.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(makeKeyVectors(), null, 2)}\n`);
