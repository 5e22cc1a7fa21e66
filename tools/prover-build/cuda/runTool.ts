import { spawn } from "node:child_process";
import { BaseError } from "@haca/protocol/baseError";

/** What compilers and linkers write into the line that matters. */
const COMPLAINT = /error:|fatal|undefined reference|multiple definition|cannot find/i;

/**
 * Runs a program and keeps what it prints.
 * @returns its standard output
 * @throws BaseError `cuda.tool`, with the first line of its complaint
 */
export function runTool(parameters: {
  program: string;
  parameters: readonly string[];
  folder?: string;
}): Promise<string> {
  const { program, folder } = parameters;
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters.parameters, {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    child.once("error", (cause: Error) => reject(failed(`${program}: ${cause.message}`)));
    child.once("close", (code) => {
      if (code === 0) {
        resolve(output.stdout);
        return;
      }
      const said = `${output.stdout}\n${output.stderr}`.trim();
      const line = said.split("\n").find((candidate) => COMPLAINT.test(candidate)) ?? said;
      reject(failed(`${program} ended with status ${code}: ${line.trim()}`));
    });
  });
}

function failed(message: string): BaseError {
  return new BaseError({ code: "cuda.tool", message });
}
