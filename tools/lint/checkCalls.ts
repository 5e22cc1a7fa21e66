import type { Project } from "./project.ts";

const SOURCE = /\.ts$/;
/** A contract's function by a bare string. Of an interface's fragments, which `interface` and `abi` are, it is the way. */
const BARE = /(?<!\b(?:interface|abi)\??\s*)\.getFunction\(\s*["'`]/g;

/**
 * Functions of contracts that are called by a bare string, which no compiler looks at: a name that a contract no longer
 * has would be seen when the test runs, or never.
 */
export function checkCalls(project: Pick<Project, "files" | "read">): string[] {
  return [...project.files]
    .filter((file) => SOURCE.test(file))
    .sort()
    .flatMap((file) => {
      const text = project.read(file);
      return [...text.matchAll(BARE)].map(({ index }) => {
        const line = text.slice(0, index).split("\n").length;
        return `${file}:${line}: getFunction of a bare string: contractAt and deployMock have typed functions`;
      });
    });
}
