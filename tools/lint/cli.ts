import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { checkCalls } from "./checkCalls.ts";
import { checkDocuments } from "./checkDocuments.ts";
import { checkNatspec } from "./checkNatspec.ts";
import { readProject } from "./project.ts";

const project = readProject(PROJECT_ROOT);
const { documents, problems: found } = checkDocuments(project);
const problems = [...found, ...checkNatspec(project), ...checkCalls(project)];
for (const problem of problems) console.error(problem);
console.log(
  `${documents} documents, ${problems.length} problems in links, paths, commands, tests, examples, gas, NatSpec, calls`,
);
if (problems.length > 0) process.exitCode = 1;
