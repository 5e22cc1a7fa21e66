import { type ChildProcess, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { descendantsOf, isAlive, type ProcessId } from "../../testing/processTree.ts";

/** How long a command that was asked to end may take before it is killed. */
const STOP_TIMEOUT_MS = 10_000;
/** How long what it leaves behind may take to notice and to tidy up, as a database's watchdog does. */
const ORPHAN_TIMEOUT_MS = 2_000;
const POLL_INTERVAL_MS = 20;
/** Where Node keeps what it has compiled: the suites start the same programs a thousand times. */
const COMPILE_CACHE = join(PROJECT_ROOT, "node_modules", ".cache", "node-compile");

/** What every program of a run loads first: takes the types off each source once a run, not once a program. */
const STRIPPED_TYPES = `--import ${pathToFileURL(join(import.meta.dirname, "strippedTypes.mjs")).href}`;

/**
 * A command in a process group of its own, so that Ctrl-C reaches the program that runs the suites alone and it can
 * end everything that a suite has started, also what left the group.
 */
export class SuiteProcess {
  readonly #child: ChildProcess;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<number>;

  constructor(
    command: readonly string[],
    parameters: {
      environment: Readonly<Record<string, string>>;
      /** is given what the command prints, as it comes */
      onOutput: (chunk: Buffer) => void;
    },
  ) {
    const { environment, onOutput } = parameters;
    const [program = "", ...rest] = command;
    const path = `${join(PROJECT_ROOT, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`;
    this.#child = spawn(program, rest, {
      cwd: PROJECT_ROOT,
      env: {
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...process.env,
        ...environment,
        NODE_OPTIONS: [process.env.NODE_OPTIONS, STRIPPED_TYPES].filter(Boolean).join(" "),
        PATH: path,
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const collect = (chunk: Buffer): void => {
      this.#chunks.push(chunk);
      onOutput(chunk);
    };
    this.#child.stdout?.on("data", collect);
    this.#child.stderr?.on("data", collect);
    this.#closed = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        collect(Buffer.from(`${error.message}\n`));
        resolve(1);
      });
      this.#child.once("close", (code) => resolve(code ?? 1));
    });
  }

  /** What it has printed so far, errors included. */
  get output(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** Exit status; 1 for one that a signal ended or that could not start. */
  exit(): Promise<number> {
    return this.#closed;
  }

  /** Asks the command and all its descendants to end, and kills those that do not. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const family = descendantsOf(pid);
    signal(-pid, "SIGTERM");
    await settle(() => !signal(-pid, 0), STOP_TIMEOUT_MS);
    signal(-pid, "SIGKILL");
    const survivors = (): ProcessId[] => family.filter(isAlive);
    await settle(() => survivors().length === 0, ORPHAN_TIMEOUT_MS);
    for (const survivor of survivors()) signal(survivor.pid, "SIGKILL");
    // What is killed can only be gone or going.
    await settle(() => survivors().length === 0, ORPHAN_TIMEOUT_MS);
    await this.#closed;
  }
}

/** Resolves when the condition holds, or after a while. */
async function settle(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadline) await delay(POLL_INTERVAL_MS);
}

/** Sends a signal to a process, or with a minus to a group; 0 only asks. Returns whether it is there. */
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch {
    return false;
  }
}
