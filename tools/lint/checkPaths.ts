import { posix } from "node:path";
import type { Project } from "./project.ts";
import { codeSpansOf, linesOf } from "./readDocument.ts";

/** A code span that can be a path as a whole; what has a placeholder, as <chainId>, is none. */
const PATH = /^[\w@.*{},-]+(\/[\w@.*{},-]+)*\/?$/;
/** Files of these kinds are always the project's own, also where a document names the end of their path only. */
const SOURCE = /\.(ts|mts|mjs|sol|rs|circom|cu|cuh|py|sql)$/;
/** What whoever deploys writes: parameters of a chain, its address book and journal. */
const OF_DEPLOYERS = /^deployments\/(parameters\/\w+\.json|\d+\.json|\d+\.journal\.jsonl)$/;

/**
 * The paths between back-ticks that the project does not have. A path is one whose first part is a folder of
 * the root or of the document's folder, or a source file by its name or the end of its path. A star stands for any
 * name and braces for alternatives, as in a shell. What git ignores is made by commands and need not be there.
 */
export function checkPaths(document: string, project: Project): string[] {
  const problems: string[] = [];
  for (const line of linesOf(project.read(document))) {
    for (const span of codeSpansOf(line)) {
      for (const path of PATH.test(span) ? alternativesOf(span) : []) {
        if (!isThere(path, document, project)) {
          problems.push(`${document}:${line.number}: \`${path}\` is not in the repository`);
        }
      }
    }
  }
  return problems;
}

function isThere(written: string, document: string, project: Project): boolean {
  const path = written.replace(/\/$/, "");
  const beside = posix.join(posix.dirname(document), path);
  if (has(path, project) || has(beside, project)) return true;
  if (OF_DEPLOYERS.test(path)) return true;
  if (SOURCE.test(path) ? hasEnd(path, project) : !isOurs(path, document, project)) return true;
  const besideAsWritten = posix.join(posix.dirname(document), written);
  return project.isIgnored(written) || project.isIgnored(besideAsWritten);
}

/** Whether a path begins with a folder of the root or of the document's folder. */
function isOurs(path: string, document: string, project: Project): boolean {
  if (!path.includes("/")) return false;
  const [first = ""] = path.split("/");
  const beside = posix.join(posix.dirname(document), first);
  return project.folders.has(first) || project.folders.has(beside);
}

function has(path: string, project: Project): boolean {
  if (project.files.has(path) || project.folders.has(path)) return true;
  if (!path.includes("*")) return false;
  const pattern = patternOf(path, "^");
  return [...project.files].some((file) => pattern.test(file));
}

function hasEnd(path: string, project: Project): boolean {
  const pattern = patternOf(path, "(^|/)");
  return [...project.files].some((file) => pattern.test(file));
}

function patternOf(path: string, start: string): RegExp {
  const escaped = path.replace(/[.+?^$()|[\]\\]/g, "\\$&").replace(/\*+/g, "[^/]*");
  return new RegExp(`${start}${escaped}$`);
}

/** `a/{b,c}.ts` is `a/b.ts` and `a/c.ts`. */
function alternativesOf(path: string): string[] {
  const braces = /\{([^{}]*)\}/.exec(path);
  if (braces === null) return [path];
  const [whole, inner = ""] = braces;
  return inner.split(",").flatMap((part) => alternativesOf(path.replace(whole, part)));
}
