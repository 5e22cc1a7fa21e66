import { type Entry, postResults } from "../../../worker/test/support/signedResults.ts";
import type { WorkerProcess } from "../../../worker/test/support/worker.ts";
import { PAGE_SIZE, type PageStack } from "./pageStack.ts";

/** Pages before the clock runs: connections, code and caches are warm after them. */
const WARM_UP = 2;
/** Enclaves' gateways that hand in at once. */
const CLIENTS = 4;

export type PageFigures = { acceptedPerSecond: number; settledPerMinute: number };

/**
 * Hands signed results in, a list for each page, and waits until every page is proposed, mined and written down. Counted
 * is from the first acceptance to when the last page's jobs are pending; that they become final takes nothing but time.
 */
export async function measurePages(parameters: {
  stack: PageStack;
  pages: number;
  report: (detail: string) => void;
}): Promise<PageFigures> {
  const { pages, report, stack } = parameters;
  const { process, url } = await stack.worker();
  report("signing");
  const early = await stack.signedPages(WARM_UP);
  const lists = await stack.signedPages(pages);
  await Promise.all([
    handInAll({ url, lists: early }),
    pendingJobs({ process, jobs: WARM_UP * PAGE_SIZE }),
  ]);

  const started = performance.now();
  const [answered, last] = await Promise.all([
    handInAll({ url, lists }),
    pendingJobs({ process, jobs: (WARM_UP + pages) * PAGE_SIZE, report }),
  ]);
  const accepted = await Promise.all(lists.map((list) => acceptedAt(url, list)));
  await requirePending({ url, jobs: (WARM_UP + pages) * PAGE_SIZE });
  await process.child.stop();
  const results = pages * PAGE_SIZE;
  return {
    acceptedPerSecond: (results * 1_000) / (answered - started),
    settledPerMinute: (results * 60_000) / (last - Math.min(...accepted)),
  };
}

/** Returns when the last list was answered. */
async function handInAll(parameters: { url: string; lists: readonly Entry[][] }): Promise<number> {
  const waiting = [...parameters.lists];
  const client = async (): Promise<void> => {
    for (let results = waiting.shift(); results !== undefined; results = waiting.shift()) {
      const { body, status } = await postResults(parameters.url, { results });
      if (status !== 202) throw new Error(`${status}: ${JSON.stringify(body)}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return performance.now();
}

/** When the results of a list were accepted, by the queue's clock: they are so all at once. */
async function acceptedAt(url: string, [first]: readonly Entry[]): Promise<number> {
  const response = await fetch(`${url}/v1/results/${first?.message.requestId}`);
  const { times } = (await response.json()) as { times: { accepted: string } };
  return Date.parse(times.accepted);
}

/** A result that was proposed twice, or by itself, would spoil the figure. */
async function requirePending(parameters: { url: string; jobs: number }): Promise<void> {
  const { jobs, url } = parameters;
  const health = (await (await fetch(`${url}/health`)).json()) as { jobs: Record<string, number> };
  if (health.jobs.pending === jobs) return;
  throw new Error(`${jobs} results are to be pending, there are ${JSON.stringify(health.jobs)}`);
}

/** When so many jobs of the worker, of all that it ever had, are pending: what it writes once they are on disk. */
async function pendingJobs(parameters: {
  process: WorkerProcess;
  jobs: number;
  report?: (detail: string) => void;
}): Promise<number> {
  const { jobs, process, report } = parameters;
  let pending = 0;
  return await process.child.waitForLine((line) => {
    if (!line.includes('"msg":"pending"')) return undefined;
    const entry = JSON.parse(line) as { jobs?: number; time: string };
    pending += entry.jobs ?? 1;
    report?.(`${pending} of ${jobs} pending`);
    return pending >= jobs ? Date.parse(entry.time) : undefined;
  });
}
