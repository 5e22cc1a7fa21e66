import { fileURLToPath } from "node:url";

/** Folder of the circom templates: what a model's circuit includes by file name. */
export const templatesFolder = fileURLToPath(new URL("../templates", import.meta.url));
