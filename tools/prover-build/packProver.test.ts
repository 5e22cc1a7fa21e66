import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { installedProver } from "../../worker/src/prover/installedProver.ts";
import { runTool } from "./cuda/runTool.ts";
import { packProver } from "./packProver.ts";
import { builtProgram, emulation, isOwn, platformNamed } from "./platforms.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

function built(name: string): string | undefined {
  return ["release", "debug"]
    .map((profile) => join(PROVER_FOLDER, "target", profile, name))
    .find((path) => existsSync(path));
}

const program = built("haca-prover");
const testSetup = built("haca-test-setup");

describe("npm run package:prover", () => {
  const run = (...parameters: string[]) =>
    spawnSync("npm", ["run", "--silent", "package:prover", "--", ...parameters], {
      ...{ cwd: PROJECT_ROOT, encoding: "utf8" },
    });

  it("shows its help, and refuses an option that it does not know", () => {
    const help = run("--help");
    expect([help.status, help.stdout]).toEqual([0, expect.stringMatching(/for this\s+platform/)]);
    const unknown = run("--platform", "arm");
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining("--platform")]);
  });

  it("packs what is built, or says in one line that nothing is", () => {
    const { status, stderr, stdout } = run();
    if (existsSync(join(PROVER_FOLDER, "target", "release", "haca-prover"))) {
      expect(stdout).toMatch(
        /^\S+haca-prover-\S+\.tgz\nSHA-256 of the program in it: [0-9a-f]{64}\n$/,
      );
      expect(status).toBe(0);
    } else {
      expect(stderr).toMatch(/^.*does not exist: run `npm run build:prover` first.*\n$/);
      expect(status).toBe(1);
    }
  });
});

describe.skipIf(program === undefined || testSetup === undefined)("the prover's package", () => {
  const root = mkdtempSync(join(tmpdir(), "haca-installed-"));
  const folder = join(root, "empty folder");
  const installed = join(
    folder,
    "node_modules",
    `@haca/prover-${process.platform}-${process.arch}`,
  );
  let sha256: string;

  beforeAll(async () => {
    if (program === undefined) return;
    const packed = await packProver({
      program,
      platform: platformNamed(undefined),
      destination: root,
    });
    ({ sha256 } = packed);
    mkdirSync(folder);
    const quietly = ["--offline", "--no-audit", "--no-fund", "--silent"];
    const parameters = ["install", ...quietly, packed.tarball];
    await runTool({ program: "npm", parameters, folder });
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("holds the program, its licence and its checksum, and runs nothing when installed", () => {
    const binary = readFileSync(join(installed, "bin", "haca-prover"));
    expect(createHash("sha256").update(binary).digest("hex")).toBe(sha256);
    expect(readFileSync(join(installed, "SHA256SUMS"), "utf8")).toBe(
      `${sha256}  bin/haca-prover\n`,
    );
    expect(existsSync(join(installed, "LICENSE"))).toBe(true);
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(manifest).toMatchObject({ os: [process.platform], cpu: [process.arch] });
    expect(manifest.scripts).toBeUndefined();
  });

  it("is what the worker finds beside it, and nothing elsewhere", () => {
    const program = join(installed, "bin", "haca-prover");
    expect(installedProver({ from: join(folder, "worker.js") })).toBe(program);
    expect(installedProver({ from: join(root, "worker.js") })).toBeUndefined();
  });

  it("proves with plain instructions", async () => {
    const plain = ["HACA_PROVER_ISA=plain", join(folder, "node_modules", ".bin", "haca-prover")];
    const run = (...parameters: string[]) =>
      runTool({ program: "env", parameters: [...plain, ...parameters], folder });
    expect(await run("--version")).toMatch(/^haca-prover \d+\.\d+\.\d+ \(plain\)\n$/);
    const prefix = join(folder, "circuit");
    await runTool({ program: testSetup ?? "", parameters: ["model", "10", "1", prefix] });
    await run("prove", `${prefix}.zkey`, `${prefix}.wtns`, "proof.json", "public.json");
    expect(await run("verify", `${prefix}.zkey`, "public.json", "proof.json")).toBe("valid\n");
  });
});

const arm = platformNamed("linux-arm64");
const armProgram = builtProgram(arm, "release");
const emulator = emulation(arm);

describe.skipIf(isOwn(arm) || emulator === undefined || !existsSync(armProgram))(
  "the package of another architecture",
  () => {
    const root = mkdtempSync(join(tmpdir(), "haca-installed-"));
    afterAll(() => rmSync(root, { recursive: true }));

    it("is installed where npm is told so, and nowhere else, and its program runs", async () => {
      const packed = await packProver({ program: armProgram, platform: arm, destination: root });
      const folder = join(root, "empty folder");
      mkdirSync(folder);
      const quietly = ["--offline", "--no-audit", "--no-fund", "--silent"];
      const install = (...parameters: string[]) =>
        spawnSync("npm", ["install", ...quietly, ...parameters, packed.tarball], { cwd: folder });
      expect(install().status).not.toBe(0);
      expect(install("--force").status).toBe(0);
      const installed = join(folder, "node_modules", "@haca/prover-linux-arm64");
      await runTool({ program: "sha256sum", parameters: ["-c", "SHA256SUMS"], folder: installed });
      const [first = "", ...rest] = emulator ?? [];
      const parameters = [...rest, join(installed, "bin", "haca-prover"), "--version"];
      expect(await runTool({ program: first, parameters })).toMatch(
        /^haca-prover \d+\.\d+\.\d+ \(a64\)\n$/,
      );
    });
  },
);
