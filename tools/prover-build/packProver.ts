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
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { runTool } from "./cuda/runTool.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

/**
 * Makes the npm package of one platform: the program, its licence and a checksum, and nothing that runs at
 * installation. npm installs it on this platform alone.
 * @returns the tarball's path, and the program's SHA-256
 */
export async function packProver(parameters: {
  program: string;
  destination: string;
}): Promise<{ tarball: string; sha256: string }> {
  const { program, destination } = parameters;
  const folder = mkdtempSync(join(tmpdir(), "haca-package-"));
  try {
    const sha256 = await fillPackage({ program, folder });
    mkdirSync(destination, { recursive: true });
    const options = ["--pack-destination", destination, "--ignore-scripts", "--silent"];
    const name = await runTool({ program: "npm", parameters: ["pack", folder, ...options] });
    return { tarball: join(destination, name.trim()), sha256 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fillPackage(parameters: { program: string; folder: string }): Promise<string> {
  const { program, folder } = parameters;
  const binary = join(folder, "bin", "haca-prover");
  mkdirSync(join(folder, "bin"));
  copyFileSync(program, binary);
  chmodSync(binary, 0o755);
  copyFileSync(join(PROVER_FOLDER, "LICENSE"), join(folder, "LICENSE"));
  const sha256 = createHash("sha256").update(readFileSync(binary)).digest("hex");
  writeFileSync(join(folder, "SHA256SUMS"), `${sha256}  bin/haca-prover\n`);
  const built = (await runTool({ program: binary, parameters: ["--version"] })).trim();
  const version = /^haca-prover (\S+)/.exec(built)?.[1];
  writeFileSync(join(folder, "README.md"), readme());
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(version), null, 2)}\n`);
  return sha256;
}

/** As `worker/src/prover/installedProver.ts` looks for it. */
function manifest(version: string | undefined): Record<string, unknown> {
  const { license } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
  return {
    name: `@haca/prover-${process.platform}-${process.arch}`,
    version,
    description: "The native Groth16 prover of HACA: snarkjs keys and witnesses in, proofs out",
    license: license ?? "MIT",
    os: [process.platform],
    cpu: [process.arch],
    ...(process.platform === "linux" ? { libc: ["glibc"] } : {}),
    bin: { "haca-prover": "bin/haca-prover" },
    files: ["bin", "SHA256SUMS"],
    preferUnplugged: true,
  };
}

function readme(): string {
  return [
    `# @haca/prover-${process.platform}-${process.arch}`,
    "",
    "The native Groth16 prover of HACA, built for this platform: one program for all of its CPUs, which takes the best",
    "instructions that it finds (`haca-prover --version` says which). `sha256sum -c SHA256SUMS` checks the program.",
    "",
  ].join("\n");
}
