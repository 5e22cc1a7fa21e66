import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startChain } from "../../scripts/demo/localChain.ts";
import { ProcessGroup } from "../../scripts/lib/processGroup.ts";
import { Command } from "./command.ts";

const CLI = join(import.meta.dirname, "..", "..", "scripts", "deploy", "cli.ts");
const BOOK = join(import.meta.dirname, "..", "..", "deployments", "31337.json");

let folder: string;
let group: ProcessGroup;
let url: string;

const restartChain = async (): Promise<void> => {
  await group?.stop();
  group = new ProcessGroup({ logFolder: folder });
  url = await startChain({ group, timeoutMs: 60_000, port: 0 });
};

const deploy = async (...options: string[]): Promise<{ status: number | null; output: string }> => {
  const command = new Command(["scripts/deploy/cli.ts", ...options], { HACA_RPC_URL: url });
  return { status: await command.exit(), output: command.output };
};

const begin = async (): Promise<void> => {
  folder = mkdtempSync(join(tmpdir(), "haca-deploy-"));
  await restartChain();
};
const end = async (): Promise<void> => {
  await group.stop();
  rmSync(folder, { recursive: true, force: true });
};

describe("npm run deploy", () => {
  beforeEach(begin);
  afterEach(end);

  it("changes nothing the second time, and deploys anew on a chain that forgot", async () => {
    expect(await deploy("--network", "localhost")).toMatchObject({ status: 0 });
    const first = readFileSync(BOOK, "utf8");
    expect(await deploy("--network", "localhost")).toMatchObject({ status: 0 });
    expect(readFileSync(BOOK, "utf8")).toBe(first);

    await restartChain();
    const again = await deploy("--network", "localhost", "--settlement-window", "86400");
    expect(again, again.output).toMatchObject({ status: 0 });
    expect(again.output).toMatch(/but on this chain there is no x402 proxy at 0x4020\w+: no Infe/);
    expect(JSON.parse(readFileSync(BOOK, "utf8")).contracts).not.toHaveProperty("InferenceEscrow");
    expect(JSON.parse(readFileSync(BOOK, "utf8")).parameters.settlementWindow).toBe(86_400);
  });

  it("says in one line that the chain does not answer", async () => {
    await group.stop();
    const { status, output } = await deploy("--network", "localhost");
    expect(status).toBe(1);
    expect(output).toContain("network localhost does not answer");
    expect(output).not.toContain("    at ");
    const unset = await deploy("--network", "baseSepolia");
    expect(unset.status).toBe(1);
    expect(unset.output).toMatch(/^error: .*BASE_SEPOLIA_RPC_URL.*\[deploy\.noRpc\]$/m);
  });
});

// Nothing is sent: one chain for all.
describe("npm run deploy, before anything is sent", () => {
  beforeAll(begin);
  afterAll(end);

  it("shows its options from any folder, without a build or a chain, in 80 columns", async () => {
    const help = spawnSync(process.execPath, [CLI, "--help"], { cwd: tmpdir(), encoding: "utf8" });
    expect(help.status).toBe(0);
    expect(help.stdout).toContain("--settlement-window <seconds>");
    expect(Math.max(...help.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    [["--network", "nowhere"], "--network must be one of"],
    [[], "required option '--network <name>' not specified"],
    [["--network", "localhost", "--settlement-window", "0"], "It must be a number of seconds"],
    [["--network", "localhost", "--dry"], "unknown option '--dry'"],
    [["--network", "localhost", "--part", "all"], "Allowed choices are core, tee"],
  ])("refuses %j", async (options, text) => {
    const { status, output } = await deploy(...options);
    expect(status).toBe(1);
    expect(output).not.toContain("    at ");
    expect(output).toContain(text);
  });
});
