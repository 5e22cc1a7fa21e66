/** Something that runs in a lane: a suite, or what suites wait for. */
export type Step = {
  name: string;
  /** what it takes alone on a quiet machine; only the order depends on it */
  seconds: number;
  /** steps that must have ended before, where they are part of the run */
  after?: readonly string[];
  /** what only one step at a time can use */
  uses?: readonly string[];
};

/** Chains, provers and compilers of three suites at once, beside what else a machine does. */
const MEMORY_OF_THREE = 12e9;

/**
 * How many suites run at the same time where nobody says it. They wait for blocks, intervals and each other's answers a fifth of
 * their time: two cores have enough to do by three of them alone, which need the memory.
 */
export function lanesOf({ cores, memory }: { cores: number; memory: number }): number {
  if (cores === 1) return 1;
  return memory < MEMORY_OF_THREE ? 2 : 3;
}

/**
 * The order in which free lanes look for work: one lane takes the steps as they are listed; more lanes take first what
 * most time hangs on, its own and that of the steps that wait for it, so that the lanes end near the same time.
 */
export function inOrder<S extends Step>(steps: readonly S[], lanes: number): S[] {
  if (lanes === 1) return [...steps];
  const span = ({ name, seconds }: Step, before: readonly string[] = []): number => {
    if (before.includes(name)) return 0;
    const waiting = steps.filter(({ after = [] }) => after.includes(name));
    return seconds + Math.max(0, ...waiting.map((step) => span(step, [...before, name])));
  };
  return [...steps].sort((a, b) => span(b) - span(a));
}

/** The first step that can start beside those that run; undefined if there is none for now. */
export function nextStep<S extends Step>(parameters: {
  waiting: readonly S[];
  running: readonly S[];
}): S | undefined {
  const { waiting, running } = parameters;
  const unfinished = new Set([...waiting, ...running].map(({ name }) => name));
  const inUse = new Set(running.flatMap(({ uses = [] }) => uses));
  return waiting.find(
    ({ after = [], uses = [] }) =>
      !after.some((name) => unfinished.has(name)) && !uses.some((thing) => inUse.has(thing)),
  );
}

/** Runs every step once, as many at a time as there are lanes. The first `run` that fails ends it. */
export async function runInLanes<S extends Step>(parameters: {
  steps: readonly S[];
  lanes: number;
  run: (step: S) => Promise<void>;
}): Promise<void> {
  const { steps, lanes, run } = parameters;
  const waiting = inOrder(steps, lanes);
  const running = new Map<S, Promise<S>>();
  while (waiting.length > 0 || running.size > 0) {
    while (running.size < lanes) {
      const step = nextStep({ waiting, running: [...running.keys()] });
      if (step === undefined) break;
      waiting.splice(waiting.indexOf(step), 1);
      running.set(
        step,
        run(step).then(() => step),
      );
    }
    if (running.size === 0) {
      throw new Error(`wait for each other: ${waiting.map(({ name }) => name).join(", ")}`);
    }
    running.delete(await Promise.race(running.values()));
  }
}
