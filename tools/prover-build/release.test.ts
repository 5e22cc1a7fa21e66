import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { installedProver } from "../../worker/src/prover/installedProver.ts";
import { checkPackages } from "./checkPackages.ts";
import { runTool } from "./cuda/runTool.ts";
import { packProver, proverVersion } from "./packProver.ts";
import { PLATFORMS, platformNamed } from "./platforms.ts";

const root = mkdtempSync(join(tmpdir(), "haca-release-"));
const version = proverVersion();
const platforms = Object.keys(PLATFORMS);
afterAll(() => rmSync(root, { recursive: true }));

/** A program that says that version, and another text for every name. */
function program(name: string, says = version): string {
  const path = join(root, name);
  writeFileSync(path, `#!/bin/sh\n# ${name}\necho 'haca-prover ${says} (plain)'\n`, {
    mode: 0o755,
  });
  return path;
}

const own = platformNamed(undefined);
/** Without its emulator, which would not run a script. */
const foreign = { os: "linux", cpu: process.arch === "arm64" ? "x64" : "arm64" };

async function unpacked(tarball: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  await runTool({ program: "tar", parameters: ["-xzf", tarball, "-C", folder] });
  return join(folder, "package");
}

describe("a release of the native prover", () => {
  const destination = join(root, "packages");
  const tarballs: string[] = [];
  const command = (...parameters: string[]) =>
    spawnSync("node", ["tools/prover-build/checkPackagesCommand.ts", ...parameters], {
      cwd: PROJECT_ROOT,
      encoding: "utf8",
    });

  beforeAll(async () => {
    const repository = "https://github.com/example/haca";
    for (const platform of [own, foreign]) {
      const parameters = { program: program(platform.cpu), platform, destination, repository };
      tarballs.push((await packProver(parameters)).tarball);
    }
  });

  it("is every platform's package, checked and listed as sha256sum reads it", async () => {
    const { status, stdout } = command(destination, "--tag", `prover-v${version}`);
    expect(status).toBe(0);
    expect(stdout).toContain(`all of version ${version}`);
    const check = { program: "sha256sum", parameters: ["--check", "SHA256SUMS"] };
    expect(await runTool({ ...check, folder: destination })).toMatch(/^(\S+\.tgz: OK\n){2}$/);
    const inside = await unpacked(tarballs[0] ?? "", join(root, "own"));
    const manifest = JSON.parse(readFileSync(join(inside, "package.json"), "utf8"));
    expect(manifest.repository.url).toBe("git+https://github.com/example/haca.git");
  });

  it("names what does not fit, in one line", async () => {
    const one = join(root, "one");
    mkdirSync(one);
    await runTool({ program: "cp", parameters: [tarballs[0] ?? "", one] });
    const refusal = (...parameters: string[]) => {
      const { status, stderr } = command(...parameters);
      expect([status, stderr.trimEnd().split("\n").length]).toEqual([1, 1]);
      return stderr;
    };
    expect(refusal(one)).toContain(`no package for linux-${foreign.cpu}`);
    expect(refusal(destination, "--tag", "prover-v9.9.9")).toContain("9.9.9 expected");
    expect(refusal(destination, "--tag", "v1")).toContain("--tag: v1 names no version");
    expect(refusal(join(root, "none"))).toContain("is no folder");
  });

  it("is refused with a program that the package's checksum does not name", async () => {
    const folder = join(root, "changed");
    const inside = await unpacked(tarballs[0] ?? "", folder);
    appendFileSync(join(inside, "bin", "haca-prover"), "#\n");
    const parameters = ["-czf", join(folder, "changed.tgz"), "-C", folder, "package"];
    await runTool({ program: "tar", parameters });
    await expect(checkPackages({ folder, version, platforms })).rejects.toThrow(
      /changed\.tgz: its program has the SHA-256 [0-9a-f]{64}, its SHA256SUMS names another/,
    );
  });

  it("is not made of a program that is older than its sources", async () => {
    const stale = { program: program("old", "0.0.9"), platform: own, destination };
    await expect(packProver(stale)).rejects.toThrow(
      /is haca-prover 0\.0\.9 \(plain\), the sources/,
    );
  });

  it("is called by the workflow with commands that exist", () => {
    const read = (path: string) => readFileSync(join(PROJECT_ROOT, path), "utf8");
    const workflow = read(".github/workflows/release-prover.yml");
    const { scripts } = JSON.parse(read("package.json"));
    const called = [...workflow.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]);
    expect(called).toEqual(["build:prover", "package:prover", "package:prover:check"]);
    for (const name of called) expect(scripts).toHaveProperty([name ?? ""]);
    const built = [...workflow.matchAll(/platform: ([\w-]+),/g)].map((match) => match[1]);
    expect(built).toEqual(platforms);
  });
});

describe("an installed prover", () => {
  it("is refused when it is not the one of its package's checksum", async () => {
    const packed = { program: program("installed"), platform: own, destination: root };
    const { tarball } = await packProver(packed);
    const folder = join(root, "installation");
    const inside = await unpacked(tarball, folder);
    const from = join(folder, "worker.js");
    const modules = join(folder, "node_modules", "@haca");
    mkdirSync(modules, { recursive: true });
    const installed = join(modules, `prover-${own.os}-${own.cpu}`);
    await runTool({ program: "mv", parameters: [inside, installed] });
    const path = join(installed, "bin", "haca-prover");
    expect(installedProver({ from })).toBe(path);
    appendFileSync(path, "#\n");
    expect(() => installedProver({ from })).toThrow(/its SHA-256 is [0-9a-f]{64}, which is not/);
    rmSync(join(installed, "SHA256SUMS"));
    expect(() => installedProver({ from })).toThrow(/install the package again/);
  });
});
