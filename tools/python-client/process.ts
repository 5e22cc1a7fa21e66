import { spawn } from "node:child_process";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

export const CLIENT_FOLDER = join(PROJECT_ROOT, "clients/python");
/** Environment, wheel and cases; nothing in it is anything but made. */
export const CACHE_FOLDER = join(CLIENT_FOLDER, ".cache");

type Ended = { status: number; output: string };

/**
 * Runs a program to its end, its output shown or kept.
 * @throws BaseError `program.notRun` where it cannot be started; `program.failed` where it fails and is not shown
 */
export function run(parameters: {
  program: string;
  parameters: readonly string[];
  folder?: string;
  environment?: Readonly<Record<string, string>>;
  isShown?: boolean;
}): Promise<Ended> {
  const { program, folder, environment, isShown = false } = parameters;
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters.parameters, {
      cwd: folder ?? PROJECT_ROOT,
      env: { ...process.env, ...environment },
      stdio: ["ignore", isShown ? "inherit" : "pipe", isShown ? "inherit" : "pipe"],
    });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.once("error", (cause) =>
      reject(
        new BaseError({ code: "program.notRun", message: `${program} does not start`, cause }),
      ),
    );
    child.once("close", (code) => {
      const status = code ?? 1;
      if (status === 0 || isShown) resolve({ status, output });
      else reject(new BaseError({ code: "program.failed", message: lastLine(program, output) }));
    });
  });
}

const lastLine = (program: string, output: string): string =>
  output.trim().split("\n").at(-1)?.trim() || `${program} failed`;
