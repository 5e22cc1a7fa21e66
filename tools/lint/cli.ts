import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { checkDocuments } from "./checkDocuments.ts";
import { readProject } from "./project.ts";

const { documents, problems } = checkDocuments(readProject(PROJECT_ROOT));
for (const problem of problems) console.error(problem);
console.log(
  `${documents} documents, ${problems.length} problems in links, paths, commands, tests, examples, gas`,
);
if (problems.length > 0) process.exitCode = 1;
