import { globSync, mkdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { CONTRACT_ROWS, ERROR_ABIS, INTERFACES } from "@haca/protocol/contracts";
import { replaceFile } from "@haca/protocol/replaceFile";
import { PROJECT_ROOT } from "./projectRoot.ts";

/** Folders of artifacts/ with contracts of a deployment: ours, and the library's. */
const FOLDERS = "{contracts,@openzeppelin/contracts}";

/** Reads the ABI of an artifact by its name. */
function abiReader(): (artifact: string) => unknown {
  const paths = globSync(`artifacts/${FOLDERS}/**/*.sol/*.json`, { cwd: PROJECT_ROOT });
  return (artifact) => {
    const end = join(`${artifact}.sol`, `${artifact}.json`);
    const [path, ...others] = paths.filter((found) => found.endsWith(`${sep}${end}`));
    if (path === undefined) throw new Error(`no artifact ${artifact}: compile first`);
    if (others.length > 0) throw new Error(`${artifact} is in ${[path, ...others].join(" and ")}`);
    return JSON.parse(readFileSync(join(PROJECT_ROOT, path), "utf8")).abi;
  };
}

/**
 * Writes protocol/generated/abi.ts from Hardhat's artifacts: the ABIs as constants, so that Ponder and viem can infer
 * types from them and nothing is pasted by hand. Which ones, says the table of contracts.
 */
export function writeAbi(): void {
  const readAbi = abiReader();
  const constants = [
    ...CONTRACT_ROWS.map(({ name, abi, abiFrom = name }) => ({ abi, artifact: abiFrom })),
    ...INTERFACES.map(({ name, abi }) => ({ abi, artifact: name })),
    ...ERROR_ABIS.map(({ abi, abiFrom }) => ({ abi, artifact: abiFrom })),
  ].map(
    ({ abi, artifact }) =>
      `export const ${abi} = ${JSON.stringify(readAbi(artifact), null, 2)} as const;\n`,
  );
  const byName = [...CONTRACT_ROWS, ...INTERFACES].map(({ name, abi }) => `  ${name}: ${abi},\n`);
  const errors = ERROR_ABIS.map(({ abi }) => abi).join(", ");

  const target = join(PROJECT_ROOT, "protocol", "generated", "abi.ts");
  mkdirSync(join(target, ".."), { recursive: true });
  // In one step: a worker or another command of this checkout may be reading it.
  replaceFile({
    path: target,
    text: `// Generated from the table of contracts. Do not edit.

${constants.join("\n")}
/** By the names of contracts and interfaces. */
export const abis = {
${byName.join("")}} as const;

/** Errors of libraries. */
export const errorAbis = [${errors}] as const;
`,
  });
}
