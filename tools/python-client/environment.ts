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
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { CACHE_FOLDER, CLIENT_FOLDER, run } from "./process.ts";

/** No Python that the client runs on, or its packages cannot be had. */
export class PythonMissing extends BaseError {}

const ENVIRONMENT = join(CACHE_FOLDER, "environment");
const STAMP = join(CACHE_FOLDER, "environment.stamp");
const REQUIREMENTS = join(CLIENT_FOLDER, "requirements.txt");
const PROGRAMS = ["python3", "python"];
/** Its version and what environments are made with; fails where that is missing, or the version is too early. */
const PROBE = "import ensurepip, sys, venv; assert sys.version_info >= (3, 10); print(sys.version)";
const QUIET = ["--quiet", "--disable-pip-version-check", "--no-input"];
const SOURCES = ["LICENSE", "README.md", "pyproject.toml", "src"];

/**
 * An environment with exactly the packages of the pinned list, each with its hash; made anew where the list or Python changed, and in
 * the deep run.
 * @returns the program `python` in it
 * @throws PythonMissing
 */
export async function prepareEnvironment(): Promise<string> {
  const { program, version } = await findPython();
  const list = readFileSync(REQUIREMENTS, "utf8");
  const stamp = createHash("sha256").update(`${version}\n${list}`).digest("hex");
  const python = join(ENVIRONMENT, process.platform === "win32" ? "Scripts/python" : "bin/python");
  const isFresh = existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp;
  if (isFresh && process.env.HACA_DEEP !== "1") return python;
  rmSync(STAMP, { force: true });
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  mkdirSync(CACHE_FOLDER, { recursive: true });
  await orMissing(
    "an environment for the Python client cannot be made",
    run({ program, parameters: ["-m", "venv", ENVIRONMENT] }),
  );
  const install = ["-m", "pip", "install", ...QUIET, "--no-compile", "--only-binary", ":all:"];
  await orMissing(
    "the packages of the Python client cannot be had",
    run({ program: python, parameters: [...install, "--require-hashes", "-r", REQUIREMENTS] }),
  );
  writeFileSync(STAMP, stamp);
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

async function findPython(): Promise<{ program: string; version: string }> {
  for (const program of PROGRAMS) {
    const found = await run({ program, parameters: ["-c", PROBE] }).catch(() => undefined);
    if (found !== undefined) return { program, version: found.output };
  }
  throw new PythonMissing({
    code: "python.missing",
    message: "no Python from 3.10 on with venv is installed: the Python client is not tested",
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
