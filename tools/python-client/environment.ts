import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { CACHE_FOLDER, CLIENT_FOLDER, run } from "./process.ts";

/** No Python that the client runs on, or its packages cannot be had. */
export class PythonMissing extends BaseError {}

const REQUIREMENTS = join(CLIENT_FOLDER, "requirements.txt");
const PROGRAMS = ["python3", "python"];
const QUIET = ["--quiet", "--disable-pip-version-check", "--no-input"];
const SOURCES = ["LICENSE", "README.md", "pyproject.toml", "src"];

/**
 * An environment with exactly the packages of the pinned list, each with its hash.
 * @returns the program `python` in it
 * @throws PythonMissing
 */
export const prepareEnvironment = (): Promise<string> =>
  makeEnvironment({
    ...{ folder: join(CACHE_FOLDER, "environment"), client: "the Python client", least: "3.10" },
    lists: [{ path: REQUIREMENTS, flags: ["--require-hashes"] }],
  });

/**
 * An environment with the packages of lists, installed in their order; made anew where a list or Python changed, and in the deep run.
 * Beside its folder lies a stamp of what it was made of.
 * @returns the program `python` in it
 * @throws PythonMissing
 */
export async function makeEnvironment(parameters: {
  folder: string;
  /** whose it is, in words */
  client: string;
  /** earliest version of Python, "3.10" */
  least: string;
  lists: readonly { path: string; flags: readonly string[] }[];
}): Promise<string> {
  const { client, folder, lists } = parameters;
  const { program, version } = await findPython(parameters);
  const content = lists.map(({ path }) => readFileSync(path, "utf8")).join("");
  const stamp = createHash("sha256").update(`${version}\n${content}`).digest("hex");
  const stampFile = `${folder}.stamp`;
  const python = join(folder, process.platform === "win32" ? "Scripts/python" : "bin/python");
  const isFresh = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  if (isFresh && process.env.HACA_DEEP !== "1") return python;
  rmSync(stampFile, { force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  await orMissing(
    `an environment for ${client} cannot be made`,
    run({ program, parameters: ["-m", "venv", folder] }),
  );
  const install = ["-m", "pip", "install", ...QUIET, "--no-compile", "--only-binary", ":all:"];
  for (const { flags, path } of lists) {
    await orMissing(
      `the packages of ${client} cannot be had`,
      run({ program: python, parameters: [...install, ...flags, "-r", path] }),
    );
  }
  writeFileSync(stampFile, stamp);
  return python;
}

/**
 * Builds the client's wheel of a copy of its sources, beside which nothing else lies, and installs it.
 * @returns the wheel's path
 */
export async function installWheel(python: string): Promise<string> {
  const [source, dist] = [join(CACHE_FOLDER, "source"), join(CACHE_FOLDER, "dist")];
  for (const folder of [source, dist]) rmSync(folder, { recursive: true, force: true });
  for (const name of SOURCES) {
    cpSync(join(CLIENT_FOLDER, name), join(source, name), { recursive: true });
  }
  const own = [...QUIET, "--no-deps", "--no-index"];
  const build = ["-m", "pip", "wheel", ...own, "--no-build-isolation", "--wheel-dir", dist, source];
  await run({ program: python, parameters: build });
  const [wheel = ""] = readdirSync(dist).map((name) => join(dist, name));
  const install = ["-m", "pip", "install", ...own, "--no-compile", "--force-reinstall", wheel];
  await run({ program: python, parameters: install });
  return wheel;
}

async function findPython(parameters: {
  client: string;
  least: string;
}): Promise<{ program: string; version: string }> {
  const { client, least } = parameters;
  // Its version and what environments are made with; fails where that is missing, or the version is too early.
  const probe = `import ensurepip, sys, venv; assert sys.version_info >= (${least.replace(".", ", ")}); print(sys.version)`;
  for (const program of PROGRAMS) {
    const found = await run({ program, parameters: ["-c", probe] }).catch(() => undefined);
    if (found !== undefined) return { program, version: found.output };
  }
  throw new PythonMissing({
    code: "python.missing",
    message: `no Python from ${least} on with venv is installed: ${client} is not tested`,
  });
}

async function orMissing<T>(what: string, attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new PythonMissing({ code: "python.missing", message: `${what}: ${reason}`, cause });
  }
}
