import type { Project } from "./project.ts";
import { linesOf } from "./readDocument.ts";

const RUN = /\bnpm (?:run (?:--silent |-s )?([\w:-]+\*?)|(start|test)\b)((?: -w [\w@/-]+)?)/g;

/** The `npm run` commands of a document, in blocks and in prose, that no package.json has. */
export function checkCommands(document: string, project: Project): string[] {
  const problems: string[] = [];
  for (const { number, text } of linesOf(project.read(document))) {
    for (const [, script, short, workspace = ""] of text.matchAll(RUN)) {
      const name = script ?? short ?? "";
      const owner = workspace.replace(" -w ", "");
      const scripts = [...(project.scripts.get(owner) ?? [])];
      // A star stands for all commands that begin so.
      const start = name.endsWith("*") ? name.slice(0, -1) : undefined;
      if (scripts.some((s) => s === name || (start !== undefined && s.startsWith(start)))) continue;
      const where = owner === "" ? "package.json" : `the package.json of ${owner}`;
      problems.push(`${document}:${number}: npm run ${name} is not in ${where}`);
    }
  }
  return problems;
}
