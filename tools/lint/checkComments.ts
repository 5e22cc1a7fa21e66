import { posix } from "node:path";
import type { Project } from "./project.ts";

const SOURCE = /\.(ts|mts|mjs|sol|rs|circom|cu|hpp|cpp)$/;
const TEST = /(\.test\.ts|\.t\.sol)$/;
/** What follows the start of a comment, or stands in the middle of a block of it. */
const COMMENT = /(?:^\s*\*|\/\/[/!]?|\/\*\*?)\s(.*)$/;
/** A file of the project by its path, or by its name alone between back-ticks. */
const PATH = /(?<![\w/.<>@-])((?:[\w-]+\/)+[\w.-]+\.(?:ts|mjs|sol|rs|circom|sql|md|json))\b/g;
const NAME = /`([\w.-]+\.(?:ts|mjs|sol|rs|circom|sql|md))`/g;

/** Files that comments of the sources name and that the project does not have. Tests may speak of made-up ones. */
export function checkComments(project: Project): string[] {
  const names = new Set([...project.files].map((file) => posix.basename(file)));
  const problems: string[] = [];
  for (const file of project.files) {
    if (!SOURCE.test(file) || TEST.test(file)) continue;
    for (const [index, line] of project.read(file).split("\n").entries()) {
      const comment = COMMENT.exec(line)?.[1] ?? "";
      const paths = [...comment.matchAll(PATH)]
        .map(([, path = ""]) => path)
        .filter((path) => !isThere(path, file, project));
      const unknown = [...comment.matchAll(NAME)]
        .map(([, name = ""]) => name)
        .filter((name) => !names.has(name) && !project.isIgnored(name));
      for (const named of [...paths, ...unknown]) {
        problems.push(`${file}:${index + 1}: ${named} is not in the repository`);
      }
    }
  }
  return problems;
}

/** A path that begins with a folder of the root must be one of the project's; others may be anybody's. */
function isThere(path: string, file: string, project: Project): boolean {
  const [first = ""] = path.split("/");
  if (!project.folders.has(first) || project.files.has(path)) return true;
  return project.files.has(posix.join(posix.dirname(file), path)) || project.isIgnored(path);
}
