import type { Project } from "./project.ts";
import { blocksOf } from "./readDocument.ts";

/** The language of a block, then the file that it shows. */
const SHOWN = /^\w+ (\S+\.\w+)$/;

/** The blocks that name a file behind their language, as in "ts <file>", and show other text than it has. */
export function checkExamples(document: string, project: Project): string[] {
  const problems: string[] = [];
  for (const { info, number, text } of blocksOf(project.read(document))) {
    const file = SHOWN.exec(info)?.[1];
    if (file === undefined) continue;
    if (!project.files.has(file)) {
      problems.push(`${document}:${number}: shows ${file}, which is not in the repository`);
    } else if (!`\n${project.read(file)}`.includes(`\n${text}\n`)) {
      problems.push(`${document}:${number}: is not the text of ${file}`);
    }
  }
  return problems;
}
