import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { runTool } from "./cuda/runTool.ts";
import { emulation, type Platform } from "./platforms.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

/** What a package is made of. */
interface Packing {
  program: string;
  platform: Platform;
  /** the repository's address, for the manifest */
  repository?: string | undefined;
}

/**
 * Makes the npm package of one platform: the program, its licence and a checksum, and nothing that runs at
 * installation. npm installs it on that platform alone.
 * @returns the tarball's path, and the program's SHA-256
 * @throws BaseError `prover.stale` when the program is another version's
 */
export async function packProver(
  parameters: Packing & { destination: string },
): Promise<{ tarball: string; sha256: string }> {
  const { destination } = parameters;
  const folder = mkdtempSync(join(tmpdir(), "haca-package-"));
  try {
    const sha256 = await fillPackage({ ...parameters, folder });
    mkdirSync(destination, { recursive: true });
    const options = ["--pack-destination", destination, "--ignore-scripts", "--silent"];
    const name = await runTool({ program: "npm", parameters: ["pack", folder, ...options] });
    return { tarball: join(destination, name.trim()), sha256 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fillPackage(parameters: Packing & { folder: string }): Promise<string> {
  const { program, platform, folder } = parameters;
  const version = proverVersion();
  await refuseStale({ program, platform, version });
  const binary = join(folder, "bin", "haca-prover");
  mkdirSync(join(folder, "bin"));
  copyFileSync(program, binary);
  chmodSync(binary, 0o755);
  copyFileSync(join(PROVER_FOLDER, "LICENSE"), join(folder, "LICENSE"));
  const sha256 = createHash("sha256").update(readFileSync(binary)).digest("hex");
  writeFileSync(join(folder, "SHA256SUMS"), `${sha256}  bin/haca-prover\n`);
  writeFileSync(join(folder, "README.md"), readme(platform));
  const text = JSON.stringify(manifest({ ...parameters, version }), null, 2);
  writeFileSync(join(folder, "package.json"), `${text}\n`);
  return sha256;
}

/** The version of the prover's sources. */
export function proverVersion(): string {
  const text = readFileSync(join(PROVER_FOLDER, "Cargo.toml"), "utf8");
  const version = /^\[workspace\.package\]\nversion = "([^"]+)"$/m.exec(text)?.[1];
  if (version !== undefined) return version;
  throw new BaseError({ code: "prover.version", message: "prover/Cargo.toml names no version" });
}

/** A program of a platform that cannot be run here is taken at its word. */
async function refuseStale(parameters: Packing & { version: string }): Promise<void> {
  const { program, platform, version } = parameters;
  const before = emulation(platform);
  if (before === undefined) return;
  const [first = program, ...rest] = [...before, program, "--version"];
  const built = (await runTool({ program: first, parameters: rest })).trim();
  if (built.startsWith(`haca-prover ${version} (`)) return;
  throw new BaseError({
    code: "prover.stale",
    message: `${program} is ${built}, the sources are ${version}: build it again`,
  });
}

/** As `worker/src/prover/installedProver.ts` looks for it. */
function packageName({ os, cpu }: Platform): string {
  return `@haca/prover-${os}-${cpu}`;
}

function manifest(parameters: Packing & { version: string }): Record<string, unknown> {
  const { platform, repository, version } = parameters;
  const { license } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
  return {
    name: packageName(platform),
    version,
    description: "The native Groth16 prover of HACA: snarkjs keys and witnesses in, proofs out",
    license: license ?? "MIT",
    ...(repository === undefined
      ? {}
      : { repository: { type: "git", url: `git+${repository}.git`, directory: "prover" } }),
    os: [platform.os],
    cpu: [platform.cpu],
    ...(platform.os === "linux" ? { libc: ["glibc"] } : {}),
    bin: { "haca-prover": "bin/haca-prover" },
    files: ["bin", "SHA256SUMS"],
    preferUnplugged: true,
  };
}

function readme(platform: Platform): string {
  return [
    `# ${packageName(platform)}`,
    "",
    "The native Groth16 prover of HACA, built for this platform: one program for all of its CPUs, which takes the best",
    "instructions that it finds (`haca-prover --version` says which). `sha256sum -c SHA256SUMS` checks the program.",
    "",
  ].join("\n");
}
