import { join } from "node:path";

/**
 * Files that are not in the repository, because they are others': real attestation documents and Wycheproof's vectors.
 * HACA_FIXTURES names their folder; by default it is looked for beside the project.
 */
export const FIXTURES_FOLDER =
  process.env.HACA_FIXTURES ??
  join(import.meta.dirname, "..", "..", "..", "..", "shared", "fixtures");
