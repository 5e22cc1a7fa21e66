import { askNode } from "./askNode.ts";

/** Requests before the clock runs: connections, code and caches are warm after them. */
const WARM_UP = 50;

export type FastPath = { perSecond: number; latencyMs: number[] };

/** Sends `requests` inferences from `clients` at once, each over a connection that stays open. */
export async function measureFastPath(parameters: {
  url: string;
  requests: number;
  clients: number;
  report: (detail: string) => void;
}): Promise<FastPath> {
  const { clients, report, requests, url } = parameters;
  await send({ url, clients, requests: WARM_UP, report: () => undefined });
  const started = performance.now();
  const latencyMs = await send({ url, clients, requests, report });
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: requests / seconds, latencyMs };
}

async function send(parameters: {
  url: string;
  requests: number;
  clients: number;
  report: (detail: string) => void;
}): Promise<number[]> {
  const { clients, report, requests, url } = parameters;
  const latencyMs: number[] = [];
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < requests) {
      sent += 1;
      const started = performance.now();
      await askNode({ url, image: sent });
      latencyMs.push(performance.now() - started);
      report(`${latencyMs.length} of ${requests}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return latencyMs;
}
