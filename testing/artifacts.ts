import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

export type Artifact = { abi: readonly unknown[]; bytecode: `0x${string}` };

let paths: ReadonlyMap<string, string> | undefined;

/** What the compiler made of a contract of the project, of its stand-ins or of OpenZeppelin, by its name alone. */
export function readArtifact(name: string): Artifact {
  paths ??= new Map(
    globSync("artifacts/{contracts,test/contracts/mocks,@openzeppelin}/**/*.json", {
      cwd: ROOT,
    }).map((path) => [basename(path, ".json"), join(ROOT, path)]),
  );
  const path = paths.get(name);
  if (path === undefined) throw new Error(`no artifact of ${name}: npm run build`);
  return JSON.parse(readFileSync(path, "utf8"));
}
