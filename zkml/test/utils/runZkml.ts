import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

export type Result = { code: number | null; stdout: string; stderr: string };

/** Runs the command; kills it with SIGKILL as soon as it prints `killAt`. */
export function zkml(parameters: {
  args: string[];
  /** what it reads from standard input */
  input?: string;
  killAt?: string;
  cwd?: string;
  env?: Record<string, string>;
}): Promise<Result> {
  const { args, killAt, cwd, input } = parameters;
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, ...parameters.env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  // whoever ends without reading closes the pipe
  child.stdin.on("error", () => {});
  child.stdin.end(input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
    if (killAt !== undefined && stdout.includes(killAt)) {
      child.kill("SIGKILL");
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
