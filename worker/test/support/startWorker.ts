import { onTestFinished } from "vitest";
import { ChildHere } from "./childHere.ts";
import { DEFAULTS, ROLES, type Started, TestWorker, WorkerProcess } from "./worker.ts";

/** A worker in the tests' own process, by the same settings: without the command line, and without its start's cost. */
class WorkerHere extends TestWorker {
  readonly child: ChildHere;

  constructor({ roles = ROLES, settings }: Started) {
    super();
    this.child = new ChildHere({ roles, settings: { ...DEFAULTS, ...settings } });
  }
}

/**
 * A worker that the test does not kill. It is in the tests' own process, which saves two seconds of processor time or
 * more; in the deep run, and with what only a process of its own can be given (options for Node, a script of the tests' prover), in one of its own. Those that are killed, or are to compete with others,
 * are `WorkerProcess`es.
 */
export function startWorker(started: Started): TestWorker {
  const isForProcess = Object.keys(started.settings).some(
    (name) => name === "NODE_OPTIONS" || name.startsWith("HACA_TEST_"),
  );
  const isApart = process.env.HACA_DEEP === "1" || isForProcess;
  return isApart ? new WorkerProcess(started) : new WorkerHere(started);
}

/** Ends a worker when the test has ended. */
export function untilTestEnds<Worker extends TestWorker>(worker: Worker): Worker {
  onTestFinished(() => worker.child.end());
  return worker;
}
