import { checkCommands } from "./checkCommands.ts";
import { checkComments } from "./checkComments.ts";
import { checkExamples } from "./checkExamples.ts";
import { checkGas } from "./checkGas.ts";
import { checkLinks } from "./checkLinks.ts";
import { checkPaths } from "./checkPaths.ts";
import { checkTests } from "./checkTests.ts";
import type { Project } from "./project.ts";

/** Everything that the project's documents, and comments, name and that is not there, or not so. */
export function checkDocuments(project: Project): {
  readonly documents: number;
  readonly problems: readonly string[];
} {
  const documents = [...project.files].filter((file) => file.endsWith(".md")).sort();
  const problems = documents.flatMap((document) => [
    ...checkLinks(document, project),
    ...checkPaths(document, project),
    ...checkCommands(document, project),
    ...checkTests(document, project),
    ...checkExamples(document, project),
  ]);
  return {
    documents: documents.length,
    problems: [...problems, ...checkComments(project), ...checkGas(project)],
  };
}
