import { join, posix } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { readSource } from "./readProfile.ts";

/** What imports name, also over several lines. */
const IMPORT = /^\s*import\s[^"';]*["']([^"'\n]+)["']/gm;

/**
 * A source of a project and all that it imports, by their paths in the project and in their order, as the compiler takes them.
 * @throws BaseError `x402.noSource` where one is not there, or would be outside of the project
 */
export function readClosure(parameters: {
  project: string;
  source: string;
  /** `prefix=target` */
  remappings: readonly string[];
}): Record<string, { content: string }> {
  const { project, remappings, source } = parameters;
  const targets = remappings
    .map((line) => line.split("=") as [prefix: string, target: string])
    .sort(([a], [b]) => b.length - a.length);
  const found = new Map<string, string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    if (posix.isAbsolute(name) || name.startsWith("..")) {
      const message = `--sources: ${name} is outside of the project ${project}`;
      throw new BaseError({ code: "x402.noSource", message });
    }
    const content = readSource(join(project, name));
    found.set(name, content);
    for (const [, imported = ""] of content.matchAll(IMPORT)) visit(resolve(name, imported));
  };
  const resolve = (from: string, imported: string): string => {
    if (/^\.\.?\//.test(imported)) return posix.join(posix.dirname(from), imported);
    const [prefix, target] = targets.find(([start]) => imported.startsWith(start)) ?? ["", ""];
    return posix.normalize(`${target}${imported.slice(prefix.length)}`);
  };
  visit(source);
  const names = [...found.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, { content: found.get(name) ?? "" }]));
}
