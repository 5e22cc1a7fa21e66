import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

const ARTIFACTS = join("artifacts", "test", "contracts", "mocks");
const TARGET = join("test", "contracts", "generated", "mockAbis.ts");

/**
 * Writes the ABIs of the contracts that only tests have, for their types: Hardhat makes types for `contracts/` alone.
 * Nothing where the tests' contracts are not compiled.
 */
export function writeMockAbis(root = PROJECT_ROOT): void {
  if (!existsSync(join(root, ARTIFACTS))) return;
  const paths = globSync(`${ARTIFACTS}/*.sol/*.json`, { cwd: root }).sort();
  const lines = paths.map((path) => {
    const { abi } = JSON.parse(readFileSync(join(root, path), "utf8"));
    return `  ${basename(path, ".json")}: ${JSON.stringify(abi)},\n`;
  });
  const target = join(root, TARGET);
  mkdirSync(join(target, ".."), { recursive: true });
  writeFileSync(
    target,
    `// Generated from the artifacts of the tests' contracts. Do not edit.
export const mockAbis = {
${lines.join("")}} as const;
`,
  );
}
