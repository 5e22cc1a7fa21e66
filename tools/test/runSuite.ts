import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { reconcile, type SuiteResult } from "./suiteResult.ts";
import type { Suite } from "./suites.ts";

/** Runs one suite with its output shown as it comes. */
export async function runSuite(suite: Suite): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), "haca-test-"));
  const report = join(folder, "report.json");
  const [program = "", ...rest] = suite.command;
  const reportOption = program === "vitest" ? [`--outputFile.json=${report}`] : [];
  try {
    const { output, exitStatus } = await run(program, [...rest, ...reportOption]);
    return reconcile({ counted: suite.count({ output, report }), exitStatus });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(
  program: string,
  parameters: readonly string[],
): Promise<{ output: string; exitStatus: number }> {
  const path = `${join(PROJECT_ROOT, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`;
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd: PROJECT_ROOT,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ output: Buffer.concat(chunks).toString(), exitStatus: code ?? 1 }),
    );
  });
}
