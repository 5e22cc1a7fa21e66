import { posix } from "node:path";
import type { Project } from "./project.ts";
import { anchorsOf, linesOf } from "./readDocument.ts";

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const CODE_SPAN = /`[^`]*`/g;
/** Another place than this repository: https:, mailto: and the like. */
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** The links of a document that lead nowhere: to a file that is not there, or to a heading that its file lacks. */
export function checkLinks(document: string, project: Project): string[] {
  const problems: string[] = [];
  for (const line of linesOf(project.read(document))) {
    if (line.isFenced) continue;
    for (const [, target = ""] of line.text.replace(CODE_SPAN, "").matchAll(LINK)) {
      const fault = HAS_SCHEME.test(target) ? undefined : faultOf(target, document, project);
      if (fault !== undefined) problems.push(`${document}:${line.number}: ${fault}`);
    }
  }
  return problems;
}

function faultOf(target: string, document: string, project: Project): string | undefined {
  const [path = "", anchor] = target.split("#");
  const relative = posix.join(posix.dirname(document), decodeURIComponent(path));
  const file = path === "" ? document : relative.replace(/\/$/, "");
  if (!project.files.has(file)) {
    if (!project.folders.has(file)) return `the link ${target} leads to no file`;
    return anchor === undefined ? undefined : `the link ${target} names a heading of a folder`;
  }
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  if (anchorsOf(project.read(file)).has(anchor)) return undefined;
  return `the link ${target} names a heading that ${file} does not have`;
}
