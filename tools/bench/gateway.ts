/** What the gateway adds to an upstream: time, and memory; and how much it does at once. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { Steps } from "../../scripts/lib/progress.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { findPostgres } from "../../worker/test/support/postgresServer.ts";
import { quantile, round, wholeNumber } from "./figures.ts";
import { GatewayStack } from "./gateway/gatewayStack.ts";
import { type Load, measureLoad, measureStreams } from "./gateway/measureGateway.ts";
import type { Store } from "./worker/benchStack.ts";

/** A model's pace, with which many requests are open and the processor has time. */
const PACE_MS = 1_000;

type Figures = Record<string, number>;
type Sizes = Record<"requests" | "clients" | "single" | "streams", number>;

export async function benchGateway(values: Record<keyof Sizes, string>): Promise<void> {
  const size = (name: keyof Sizes) => wholeNumber({ name: `--${name}`, text: values[name] });
  const sizes: Sizes = {
    ...{ requests: size("requests"), clients: size("clients") },
    ...{ single: size("single"), streams: size("streams") },
  };
  const installation = findPostgres();
  const isMissing = typeof installation === "string";
  if (isMissing) console.log(installation);
  const loadBefore = loadavg()[0] ?? 0;
  const steps = new Steps({ total: isMissing ? 7 : 8 });
  const stack = await steps.run("upstream, chain, databases", () =>
    GatewayStack.start(isMissing ? undefined : installation),
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.error(`${signal}: stopping`);
      void stack.close().finally(() => process.exit(130));
    });
  }
  try {
    const figures: Figures = {};
    // The overhead is that of what operators run: PostgreSQL, where the system has it.
    if (!isMissing) await measureThroughput({ stack, steps, sizes, figures, store: "pglite" });
    await measureStore({ stack, steps, sizes, figures, store: isMissing ? "pglite" : "postgres" });
    report({ figures, sizes, loadBefore });
  } finally {
    await stack.close();
  }
}

type Measuring = {
  stack: GatewayStack;
  steps: Steps;
  sizes: Sizes;
  figures: Figures;
  store: Store;
};

async function measureThroughput({ figures, sizes, stack, steps, store }: Measuring) {
  const { clients, requests } = sizes;
  const pair = await stack.pair(store);
  const measured = await steps.run(`${store}: ${clients} clients`, () =>
    measureLoad(pair.url, { clients, requests }),
  );
  await pair.stop();
  figures[`requests.${store === "pglite" ? "pglite." : ""}perSecond`] = round(measured.perSecond);
}

async function measureStore(measuring: Measuring): Promise<void> {
  const { figures, sizes, stack, steps, store } = measuring;
  const { clients, requests, single, streams } = sizes;
  const pair = await stack.pair(store);
  /** The same load on the upstream and on the gateway before it. */
  const both = async (title: string, load: Load, part: "first" | "last" = "last") => {
    const [direct, through] = await steps.run(`${store}: ${title}`, async () => [
      await measureLoad(stack.upstream, load),
      await measureLoad(pair.url, load),
    ]);
    const added = (share: number) => {
      const [before = 0, after = 0] = [direct, through].map((measured) =>
        quantile(
          (measured?.times ?? []).map((times) => times[part]),
          share,
        ),
      );
      return round(after - before);
    };
    return { p50: added(0.5), p95: added(0.95), perSecond: round(through?.perSecond ?? 0) };
  };
  const alone = await both("one client", { clients: 1, requests: single });
  const busy = await both(`${clients} clients`, { clients, requests });
  const bench = { delayMs: PACE_MS };
  const paced = await both(`${clients} clients at a model's pace`, {
    ...{ clients, requests: clients * 10, bench },
  });
  const token = await both("first token", { clients: 1, requests: single, stream: true }, "first");
  await pair.stop();
  const fresh = await stack.pair(store);
  const peak = await steps.run(`${store}: ${streams} open streams`, () =>
    measureStreams({ ...fresh, upstream: stack.upstream, streams }),
  );
  await fresh.stop();
  Object.assign(figures, {
    ...{ "overhead.p50Ms": busy.p50, "overhead.p95Ms": busy.p95 },
    ...{ "overheadAlone.p50Ms": alone.p50, "overheadAlone.p95Ms": alone.p95 },
    ...{ "overheadPaced.p50Ms": paced.p50, "overheadPaced.p95Ms": paced.p95 },
    "firstToken.p50Ms": token.p50,
    [`requests.${store === "pglite" ? "pglite." : ""}perSecond`]: busy.perSecond,
    ...(peak === undefined ? {} : { [`streams${streams}.peakMiB`]: round(peak) }),
  });
}

function report(parameters: { figures: Figures; sizes: Sizes; loadBefore: number }): void {
  const { figures, loadBefore, sizes } = parameters;
  const rows = Object.entries(figures).map(([key, value]) => [key, String(value)]);
  console.log(`\n${formatTable({ columns: ["figure", "value"], rows })}`);
  const path = join(PROJECT_ROOT, "bench", "out", "gateway.json");
  mkdirSync(join(path, ".."), { recursive: true });
  const details = {
    how: `clients, null upstream, gateway, worker (role collect), an Anvil that is asked about results and, for postgres, its server, each a process of this machine. overhead: time to an answer's end through the gateway less that from the upstream itself, quantile by quantile, of clients that ask again at once, so that the processor is never idle; overheadAlone: of one client; overheadPaced: of an upstream that takes ${PACE_MS} ms. All with the result on the worker's disk, and a session key. streams: peak of the gateway's process, from its start until all have ended.`,
    ...sizes,
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, loadBefore: round(loadBefore) },
    versions: { node: process.version },
    date: new Date().toISOString(),
  };
  writeFileSync(path, `${JSON.stringify({ figures, details }, null, 2)}\n`);
  console.log(`\nload before the run: ${loadBefore.toFixed(1)} on ${cpus().length} cores`);
  console.log(`written to ${path}`);
}
