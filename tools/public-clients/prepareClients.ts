import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { makeEnvironment } from "../python-client/environment.ts";
import { run } from "../python-client/process.ts";

const PACKAGES = join(import.meta.dirname, "packages");
const CACHE_FOLDER = join(import.meta.dirname, ".cache");
/** Version 2.1.1 of the TypeScript SDK, which is in no registry. */
const TYPESCRIPT_COMMIT = "119caca76cdd6ef9a5388e611fd032330d18281d";
export const TYPESCRIPT_REPOSITORY = "https://github.com/OpenGradient/typescript-sdk.git";
const PYTHON_VERSIONS = ["1.1.4", "1.1.3"] as const;

/** Where the public network's packages are, as their users have them. */
export type Clients = {
  /** environments of the Python SDK; the first has the proxy, too */
  pythons: readonly { version: string; python: string }[];
  /** a folder into which the npm package is installed */
  npm: string;
  /** the file that requires the TypeScript SDK, or why there is none */
  typescript: string | { missing: string };
};

/**
 * Installs them by their own installers, each in a folder of the cache, unless they are there already.
 * @param parameters.typescript address of the TypeScript SDK's repository
 * @throws PythonMissing; BaseError of an installer
 */
export async function prepareClients(parameters: { typescript: string }): Promise<Clients> {
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const pythons = [];
  for (const version of PYTHON_VERSIONS) {
    pythons.push({ version, python: await preparePython(version) });
  }
  const npm = join(CACHE_FOLDER, "npm");
  const lock = readFileSync(join(PACKAGES, "npm/package-lock.json"), "utf8");
  await once(npm, lock, async () => {
    cpSync(join(PACKAGES, "npm"), npm, { recursive: true });
    await run({ program: "npm", parameters: [...CLEAN_INSTALL], folder: npm });
  });
  return { pythons, npm, typescript: await prepareTypescript(parameters.typescript) };
}

const CLEAN_INSTALL = ["ci", "--ignore-scripts", "--omit=dev", "--workspaces=false"] as const;

const preparePython = (version: string): Promise<string> =>
  makeEnvironment({
    ...{ folder: join(CACHE_FOLDER, `python-${version}`), least: "3.11" },
    client: `the public network's Python SDK ${version}`,
    lists: [
      { path: join(PACKAGES, "dependencies.txt"), flags: [] },
      {
        path: join(PACKAGES, `published-${version}.txt`),
        flags: ["--no-deps", "--require-hashes"],
      },
    ],
  });

/** The commit, the packages of its own lock, and its sources made into one module of Node as `tsc` makes them. */
async function prepareTypescript(repository: string): Promise<Clients["typescript"]> {
  const folder = join(CACHE_FOLDER, "typescript");
  const module = join(folder, "dist/index.js");
  try {
    await once(folder, TYPESCRIPT_COMMIT, async () => {
      const git = (...words: string[]) => run({ program: "git", parameters: words });
      await git("clone", "--quiet", repository, folder);
      await git("-C", folder, "checkout", "--quiet", "--detach", TYPESCRIPT_COMMIT);
      await run({ program: "npm", parameters: [...CLEAN_INSTALL], folder });
      await build({
        ...{ entryPoints: [join(folder, "src/index.ts")], outfile: module },
        ...{ bundle: true, packages: "external", platform: "node", format: "cjs" },
        logLevel: "silent",
      });
    });
    return module;
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

/** Fills a folder, unless it was filled from the same before. */
async function once(folder: string, content: string, fill: () => Promise<void>): Promise<void> {
  const stampFile = `${folder}.stamp`;
  const stamp = createHash("sha256").update(content).digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  rmSync(stampFile, { force: true });
  rmSync(folder, { recursive: true, force: true });
  await fill();
  writeFileSync(stampFile, stamp);
}
