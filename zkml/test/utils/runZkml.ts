import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runHere } from "../../../test/e2e/runHere.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

export type Result = { code: number | null; stdout: string; stderr: string };

/** Verbs that were run in a process of their own. */
const started = new Set<string>();

type Run = {
  args: string[];
  /** what it reads from standard input */
  input?: string;
  /** kills it with SIGKILL as soon as it prints this */
  killAt?: string;
  cwd?: string;
  env?: Record<string, string>;
};

/**
 * Runs the command: the first time with this verb in a file, and whenever more than arguments is given, as its user has it,
 * in a process, else in this one, which saves a second or two each. Here one at a time.
 */
export async function zkml(run: Run): Promise<Result> {
  const [verb = ""] = run.args;
  if (Object.keys(run).length > 1 || !started.has(verb)) {
    started.add(verb);
    return await inProcess(run);
  }
  const { status, stdout, stderr } = await runHere({
    ...{ path: "zkml/src/cli.ts", options: run.args, environment: {} },
  });
  return { code: status, stdout, stderr };
}

function inProcess(parameters: Run): Promise<Result> {
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
