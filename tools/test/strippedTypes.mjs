// Loaded before every program of a test run (`suiteProcess.ts`). Node takes the types off each source at each start,
// a third of the processor time that a worker needs to load; here it is done once, and kept by what the source says.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder =
  process.env.HACA_STRIPPED_TYPES ??
  join(import.meta.dirname, "../../node_modules/.cache/stripped-types", process.version);

registerHooks({
  load(url, context, nextLoad) {
    if (context.format !== "module-typescript" || !url.startsWith("file:")) {
      return nextLoad(url, context);
    }
    const source = readFileSync(fileURLToPath(url), "utf8");
    return { format: "module", source: stripped(source), shortCircuit: true };
  },
});

/** The source without its types. @param {string} source */
function stripped(source) {
  const { hash } = process.getBuiltinModule("node:crypto");
  const path = join(folder, hash("sha256", source));
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  const text = strip(source);
  mkdirSync(folder, { recursive: true });
  // Renamed, so that nobody reads the half of it.
  const draft = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  writeFileSync(draft, text);
  renameSync(draft, path);
  return text;
}

/** Without the line on standard error that says the function is new: what programs print is tested. @param {string} source */
function strip(source) {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
