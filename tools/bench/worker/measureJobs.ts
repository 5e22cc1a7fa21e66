import { type JobView, jobIn } from "../../../worker/test/support/client.ts";
import { askNode } from "./askNode.ts";

type TimedJob = JobView & {
  times: Record<"accepted" | "proven" | "submitted" | "settled", string>;
};

/** Milliseconds of one job, split at the places where it is written down. */
export type JobTimes = {
  /** the client's wait for its answer */
  accept: number;
  /** on disk until the witness is begun, and the proof written down */
  queue: number;
  witness: number;
  prove: number;
  /** proof written down until its transaction is sent and written down as sent */
  submit: number;
  /** until the receipt is found and written down */
  receipt: number;
  total: number;
  /** everything but the proof itself */
  overhead: number;
};

/** One job after another, each settled before the next is asked for: nothing waits for anything else. */
export async function measureJobs(parameters: {
  url: string;
  jobs: number;
  report: (detail: string) => void;
}): Promise<JobTimes[]> {
  const { jobs, report, url } = parameters;
  const measured: JobTimes[] = [];
  // The first proof loads the key.
  await jobIn(url, await askNode({ url, image: 0 }), "settled");
  for (let index = 0; index < jobs; index++) {
    const started = performance.now();
    const requestId = await askNode({ url, image: index });
    const accept = performance.now() - started;
    measured.push(timesOf({ accept, job: (await jobIn(url, requestId, "settled")) as TimedJob }));
    report(`${index + 1} of ${jobs}`);
  }
  return measured;
}

/** Per minute, from the first acceptance to the last proof, and to the last settlement. */
export type Throughput = { provedPerMinute: number; settledPerMinute: number };

/** All at once, after `warmUp` others that are settled by then. */
export async function measureThroughput(parameters: {
  url: string;
  jobs: number;
  clients: number;
  warmUp: number;
  report: (detail: string) => void;
}): Promise<Throughput> {
  const { clients, jobs, report, url, warmUp } = parameters;
  await settleAll({ url, clients, jobs: warmUp, report: () => undefined });
  const settled = await settleAll({ url, clients, jobs, report });
  const first = Math.min(...settled.map(({ times }) => Date.parse(times.accepted)));
  const perMinute = (state: "proven" | "settled"): number => {
    const last = Math.max(...settled.map(({ times }) => Date.parse(times[state])));
    return (jobs * 60_000) / (last - first);
  };
  return { provedPerMinute: perMinute("proven"), settledPerMinute: perMinute("settled") };
}

async function settleAll(parameters: {
  url: string;
  jobs: number;
  clients: number;
  report: (detail: string) => void;
}): Promise<TimedJob[]> {
  const { clients, jobs, report, url } = parameters;
  const ids: string[] = [];
  const client = async (): Promise<void> => {
    while (ids.length < jobs) {
      const place = ids.push("") - 1;
      ids[place] = await askNode({ url, image: place });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const settled: TimedJob[] = [];
  for (const requestId of ids) {
    settled.push((await jobIn(url, requestId, "settled")) as TimedJob);
    report(`${settled.length} of ${jobs} settled`);
  }
  return settled;
}

function timesOf(parameters: { accept: number; job: TimedJob }): JobTimes {
  const { accept, job } = parameters;
  const at = (state: "accepted" | "proven" | "submitted" | "settled"): number =>
    Date.parse(job.times[state]);
  const witness = job.timings?.witnessMs ?? 0;
  const prove = job.timings?.proveMs ?? 0;
  const total = at("settled") - at("accepted") + accept;
  return {
    accept,
    queue: at("proven") - at("accepted") - witness - prove,
    witness,
    prove,
    submit: at("submitted") - at("proven"),
    receipt: at("settled") - at("submitted"),
    total,
    overhead: total - prove,
  };
}
