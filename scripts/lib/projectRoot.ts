import { join } from "node:path";

/** The project's top folder. */
export const PROJECT_ROOT: string = join(import.meta.dirname, "..", "..");
