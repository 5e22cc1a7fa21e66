import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "./projectRoot.ts";

/** How long a process may take to stop after SIGTERM before it is killed. */
const STOP_TIMEOUT_MS = 15_000;

/** How long killed processes may take to disappear, and how often that is looked at. */
const END_TIMEOUT_MS = 2_000;
const END_INTERVAL_MS = 20;

type Command = {
  name: string;
  command: string;
  arguments: readonly string[];
  environment?: Readonly<Record<string, string>>;
};

type Member = { name: string; child: ChildProcess; logFile: string; exited: Promise<void> };

/**
 * Processes that live and die together. Each has its own process group and log file, so that Ctrl-C reaches
 * this program alone and it can stop them in order, children of theirs included.
 */
export class ProcessGroup {
  readonly #members: Member[] = [];
  readonly #logFolder: string;
  /** processes of `run` that have not ended */
  readonly #commands = new Set<Member>();
  #stopping = false;

  constructor(parameters: { logFolder: string }) {
    this.#logFolder = parameters.logFolder;
  }

  /** Starts a process that runs until the group stops; its output goes to `<name>.log`. */
  start(command: Command): void {
    this.#members.push(this.#spawn(command));
  }

  /** Runs a process to its end; its output is shown only when it fails. */
  async run(command: Command): Promise<void> {
    const member = this.#spawn(command);
    this.#commands.add(member);
    await member.exited;
    this.#commands.delete(member);
    const { exitCode, signalCode } = member.child;
    if (exitCode !== 0) {
      throw new BaseError({
        code: "process.failed",
        message: `${command.name} ended with ${exitCode ?? signalCode ?? "no status"}\n${tail(member)}`,
      });
    }
  }

  /**
   * Polls `probe` until it returns a value; a connection that is refused counts as "not yet". Fails with the
   * probe's own `BaseError`, when a process of the group has ended, or after `timeoutMs` with the end of the
   * log of the process waited for.
   */
  async waitFor<T>(parameters: {
    name: string;
    timeoutMs: number;
    probe: () => Promise<T | undefined>;
  }): Promise<T> {
    const { name, timeoutMs, probe } = parameters;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      this.checkAlive();
      const value = await probe().catch((error: unknown) => {
        if (error instanceof BaseError) throw error;
        return undefined;
      });
      if (value !== undefined) return value;
      if (Date.now() > deadline) {
        throw new BaseError({
          code: "process.timeout",
          message: `${name} was not ready after ${timeoutMs / 1000} s${this.#tail(name)}`,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Ends a process and its children at once, as when its machine fails. Whoever looks for dead ones finds nothing missing. */
  async kill(name: string): Promise<void> {
    const index = this.#members.findIndex((member) => member.name === name);
    const [member] = index < 0 ? [] : this.#members.splice(index, 1);
    if (member === undefined) throw new RangeError(`no process ${name} was started`);
    signalGroup(member.child, "SIGKILL");
    await member.exited;
    await groupEnd(member.child);
  }

  /** Throws if a process of the group has ended by itself. */
  checkAlive(): void {
    const dead = this.#members.find(
      ({ child }) => child.exitCode !== null || child.signalCode !== null,
    );
    if (dead === undefined || this.#stopping) return;
    throw new BaseError({
      code: "process.ended",
      message: `${dead.name} ended (status ${dead.child.exitCode ?? dead.child.signalCode})\n${tail(dead)}`,
    });
  }

  /**
   * Stops the youngest first: those that were started later use those started earlier. Nothing can be started
   * afterwards.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const members = [...this.#members, ...this.#commands].reverse();
    this.#members.length = 0;
    for (const { child, exited } of members) {
      signalGroup(child, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child, "SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
      signalGroup(child, "SIGKILL");
      await groupEnd(child);
    }
  }

  #spawn({ name, command, arguments: commandArguments, environment }: Command): Member {
    if (this.#stopping) {
      throw new BaseError({ code: "process.stopping", message: `${name} not started: stopping` });
    }
    const logFile = join(this.#logFolder, `${name}.log`);
    const log = openSync(logFile, "a");
    const child = spawn(command, commandArguments, {
      cwd: PROJECT_ROOT,
      detached: true,
      env: { ...process.env, ...environment },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const exited = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    return { name, child, logFile, exited };
  }

  #tail(name: string): string {
    const member = this.#members.find((candidate) => candidate.name === name);
    return member === undefined ? "" : `\n${tail(member)}`;
  }
}

function tail({ logFile }: Member): string {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  return [`last lines of ${logFile}:`, ...lines.slice(-15)].join("\n  ");
}

/** Resolves once no process of the group is left, or after a while: a killed one can only be gone or going. */
async function groupEnd(child: ChildProcess): Promise<void> {
  const deadline = Date.now() + END_TIMEOUT_MS;
  while (signalGroup(child, 0) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, END_INTERVAL_MS));
  }
}

/** Sends a signal to every process of the group; 0 only asks. Returns whether there is one. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch (error) {
    const gone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!gone) throw error;
    return false;
  }
}
