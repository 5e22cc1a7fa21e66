import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { runTool } from "./cuda/runTool.ts";

/** Of the packages' tarballs, beside them. */
const SUMS = "SHA256SUMS";

/**
 * Looks into every tarball of a folder (the program has the checksum that the package names, the version is the one
 * that is to be released, every platform is there) and writes `SHA256SUMS` of them, as `sha256sum -c` reads it.
 * @returns the tarballs' names
 * @throws BaseError `prover.packages`
 */
export async function checkPackages(parameters: {
  folder: string;
  version: string;
  platforms: readonly string[];
}): Promise<string[]> {
  const { folder, version, platforms } = parameters;
  const tarballs = listed(folder);
  const found = new Set<string>();
  for (const name of tarballs) found.add(await checkPackage({ path: join(folder, name), version }));
  const missing = platforms.filter((platform) => !found.has(`@haca/prover-${platform}`));
  if (missing.length > 0) throw failed(`${folder} has no package for ${missing.join(", ")}`);
  const lines = tarballs.map((name) => `${sha256(join(folder, name))}  ${name}\n`);
  writeFileSync(join(folder, SUMS), lines.join(""));
  return tarballs;
}

function listed(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw failed(`${folder} is no folder`);
  }
  return readdirSync(folder)
    .filter((name) => name.endsWith(".tgz"))
    .sort();
}

/** @returns the package's name */
async function checkPackage(parameters: { path: string; version: string }): Promise<string> {
  const { path, version } = parameters;
  const folder = mkdtempSync(join(tmpdir(), "haca-package-"));
  try {
    await runTool({ program: "tar", parameters: ["-xzf", path, "-C", folder] });
    const inside = join(folder, "package");
    const manifest = JSON.parse(readFileSync(join(inside, "package.json"), "utf8"));
    if (manifest.version !== version) {
      throw failed(`${path}: it has version ${manifest.version}, ${version} expected`);
    }
    const named = readFileSync(join(inside, SUMS), "utf8");
    const sum = sha256(join(inside, "bin", "haca-prover"));
    if (named !== `${sum}  bin/haca-prover\n`) {
      throw failed(`${path}: its program has the SHA-256 ${sum}, its ${SUMS} names another`);
    }
    return manifest.name;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function failed(message: string): BaseError {
  return new BaseError({ code: "prover.packages", message });
}
