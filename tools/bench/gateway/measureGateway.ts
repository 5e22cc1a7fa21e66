import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { ask, type Times } from "./ask.ts";
import type { Bench } from "./nullUpstream.ts";

/** Requests of each client before the clock runs: connections, code and caches are warm after them. */
const WARM_UP = 5;

export type Load = { clients: number; requests: number; stream?: boolean; bench?: Bench };

/** So many requests, from so many clients of which each waits for its answer. */
export async function measureLoad(
  url: string,
  { bench, clients, requests, stream }: Load,
): Promise<{ times: Times[]; perSecond: number }> {
  const round = async (count: number): Promise<Times[]> => {
    const times: Times[] = [];
    let sent = 0;
    const client = async (_: unknown, index: number): Promise<void> => {
      // Those of a slow upstream do not all come at the same moment.
      await pause(((bench?.delayMs ?? 0) * index) / clients);
      while (sent < count) {
        sent += 1;
        times.push(await ask({ url, ...(stream && { stream }), ...(bench && { bench }) }));
      }
    };
    await Promise.all(Array.from({ length: clients }).map(client));
    return times;
  };
  await round(clients * WARM_UP);
  const started = performance.now();
  const times = await round(requests);
  return { times, perSecond: (requests * 1_000) / (performance.now() - started) };
}

/**
 * Opens so many streams, each of which has begun and stands still, then has all of them end. Returns the most memory that the
 * gateway's process ever had, in MiB; undefined where the system does not say.
 */
export async function measureStreams(parameters: {
  url: string;
  upstream: string;
  pid: number;
  streams: number;
}): Promise<number | undefined> {
  const { pid, streams, upstream, url } = parameters;
  const answers: Promise<Times>[] = [];
  const begun = Array.from(
    { length: streams },
    () =>
      new Promise<void>((resolve, reject) => {
        const answer = ask({ url, stream: true, bench: { holds: true }, onFirst: resolve });
        answer.catch(reject);
        answers.push(answer);
      }),
  );
  await Promise.all(begun);
  await (await fetch(`${upstream}/release`)).text();
  await Promise.all(answers);
  return peakMiB(pid);
}

/** `VmHWM` of Linux. */
function peakMiB(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [, kibibytes] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1_024;
}
