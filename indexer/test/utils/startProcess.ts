import { type ChildProcess, spawn } from "node:child_process";

/** What a process needs of this one's environment, and where Node keeps what it has compiled; no setting of a user. */
const KEPT = Object.fromEntries(
  ["PATH", "NODE_COMPILE_CACHE"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** A child process whose output is kept, so that a failure can show it. */
export type RunningProcess = {
  child: ChildProcess;
  output: () => string;
  /** sends the signal and resolves with the exit code once the process is gone; null if killed */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** resolves with the exit code when the process ends by itself or otherwise */
  ended: Promise<number | null>;
};

export function startProcess(parameters: {
  command: string;
  arguments: readonly string[];
  environment?: Readonly<Record<string, string>>;
}): RunningProcess {
  const child = spawn(parameters.command, parameters.arguments, {
    env: { ...KEPT, ...parameters.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
  const stop = (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    return ended;
  };
  return { child, output: () => text, stop, ended };
}
