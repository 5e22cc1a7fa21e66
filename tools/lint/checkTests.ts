import type { Project } from "./project.ts";
import { paragraphsOf } from "./readDocument.ts";

const TEST_FILE = /(\.test\.ts|\.t\.sol|\.rs)$/;
/** A file between back-ticks, then the names of tests in it: between back-ticks too, or between quotation marks. */
const NAMED = /`([\w./-]+\.(?:test\.ts|t\.sol|rs))`((?:,?:? (?:and )?(?:"[^"]+"|`[\w…]+`))+)/g;
const NAME = /"([^"]+)"|`([\w…]+)`/g;
/** A name that can be nothing but a test's, wherever it stands. */
const TEST = /`(…?(?:test|testFuzz|invariant)_[\w…]+)`/g;

/**
 * The tests that a document names and no file has: those behind a file in that one, others in any. A name may be
 * shortened with an ellipsis at its beginning, within it or at its end.
 */
export function checkTests(document: string, project: Project): string[] {
  const problems: string[] = [];
  for (const { number, text } of paragraphsOf(project.read(document))) {
    for (const [, file = "", names = ""] of text.matchAll(NAMED)) {
      const files = filesOf(file, project);
      for (const [, quoted, spanned] of names.matchAll(NAME)) {
        const name = quoted ?? spanned ?? "";
        if (files.length === 0 || files.some((path) => has(name, project.read(path)))) continue;
        problems.push(`${document}:${number}: ${file} has no test "${name}"`);
      }
    }
    for (const [, name = ""] of text.replaceAll(NAMED, "").matchAll(TEST)) {
      const isThere = [...project.files].some(
        (file) => TEST_FILE.test(file) && has(name, project.read(file)),
      );
      if (!isThere) problems.push(`${document}:${number}: no test is named ${name}`);
    }
  }
  return problems;
}

/** The files with this name or end of a path; that there is one is another check. */
function filesOf(path: string, project: Project): string[] {
  return [...project.files].filter((file) => file === path || file.endsWith(`/${path}`));
}

/** Whether the parts of a name between its ellipses come in this order in one line of a text. */
function has(name: string, text: string): boolean {
  const parts = name.split("…").map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join(".*")).test(text);
}
