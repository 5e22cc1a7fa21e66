import { once } from "node:events";
import type { Server } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { freePorts } from "./support/freePorts.ts";
import { signedIn, startGateway, startUpstream } from "./support/gatewayProcess.ts";
import { developmentKey } from "./support/localChain.ts";
import { type Child, waitFor } from "./support/processes.ts";
import { seeded } from "./support/seeded.ts";
import { TeeChain } from "./support/teeChain.ts";
import { temporaryFolder, temporaryQueue } from "./support/temporaryFolder.ts";
import { WorkerProcess } from "./support/worker.ts";

const REQUESTS = process.env.HACA_DEEP === "1" ? 1_000 : 30;
/** Requests between two deaths, on the average. */
const APART = 10;
const CLIENTS = 4;
/** A death comes so long after a request went upstream at most: while it is signed, stored, handed in, shown, or settled. */
const MAXIMUM_DELAY_MS = 60;

type Part = "gateway" | "worker";
const VICTIMS: readonly (readonly Part[])[] = [["gateway"], ["worker"], ["gateway", "worker"]];

type Starters = Record<Part, () => { child: Child; url: Promise<string> }>;

/** A gateway and its worker, each killed and started again, with the same disks, as often as one likes. */
class Pair {
  readonly #starters: Starters;
  readonly #children = new Map<Part, Child>();
  #busy: Promise<void> = Promise.resolve();
  #url: Promise<string> = Promise.resolve("");
  deaths = 0;

  constructor(starters: Starters) {
    this.#starters = starters;
  }

  /** Where the gateway listens, once it does. */
  get url(): Promise<string> {
    return this.#url;
  }

  start(part: Part): Promise<string> {
    const { child, url } = this.#starters[part]();
    this.#children.set(part, child);
    if (part === "gateway") this.#url = url;
    return url;
  }

  /** Kills some, all at once, and starts them again; one death after another. */
  kill(parts: readonly Part[], delayMs: number): void {
    this.#busy = this.#busy.then(async () => {
      await pause(delayMs);
      const dying = parts.flatMap((part) => this.#children.get(part) ?? []);
      for (const child of dying) child.kill("SIGKILL");
      for (const child of dying) await child.exited;
      this.deaths += 1;
      // The gateway does not listen before the worker has what it may not have.
      await Promise.all(parts.map((part) => this.start(part)));
    });
  }

  /** Returns when nobody is dying. */
  settled(): Promise<void> {
    return this.#busy;
  }

  async stop(): Promise<void> {
    for (const child of this.#children.values()) await child.stop("SIGKILL");
  }
}

async function startPair(
  onAsked: () => void,
): Promise<{ tee: TeeChain; pair: Pair; worker: string }> {
  const tee = await TeeChain.start();
  onTestFinished(() => tee.stop());
  const enclave = tee.enclave("rsa");
  await tee.admit(enclave);
  const session = await tee.certifySession(enclave, true);
  const versionId = await tee.chain.publishManifest("chat");
  const upstream: Server = await startUpstream(() => {
    onAsked();
    return undefined;
  });
  onTestFinished(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await once(upstream, "close");
  });
  const folder = temporaryFolder();
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    ...{ HACA_RPC_URL: tee.chain.url, HACA_CHAIN_ID: "31337", HACA_OPERATORS: tee.operator },
    ...{ HACA_NODE_KEY: developmentKey(1), HACA_DATA_DIR: temporaryQueue() },
    ...{ HACA_ADDRESS_BOOK: tee.writeBook(join(folder, "book.json")) },
    HACA_HTTP_PORT: String(port),
  };
  const pair = new Pair({
    gateway: () => startGateway({ enclave, session, versionId, url, folder, upstream }),
    worker() {
      const worker = new WorkerProcess({ settings, roles: ["collect", "settle"] });
      return { child: worker.child, url: worker.url() };
    },
  });
  onTestFinished(() => pair.stop());
  await pair.start("worker");
  await pair.start("gateway");
  return { tee, pair, worker: url };
}

/** Asks until there is a whole answer; returns its result's id. */
async function insist(pair: Pair, index: number): Promise<string> {
  for (;;) {
    const url = await pair.url;
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": `key-${index}` },
        body: JSON.stringify({ model: "chat", messages: [], stream: index % 2 === 1, seed: index }),
      });
      const { haca } = signedIn(await response.text());
      if (haca !== undefined) return haca.message.requestId;
    } catch {
      // It was killed in the middle.
    }
    await pair.settled();
  }
}

it(`kill -9 of gateway, worker and both at random points over ${REQUESTS} requests: every answer is settled, once`, async () => {
  const random = seeded(`kills ${REQUESTS}`);
  let asked = 0;
  const { pair, tee, worker } = await startPair(() => {
    asked += 1;
    // The first APART are left alone, so that there is something to lose.
    if (asked < APART || random(APART) > 0) return;
    pair.kill(VICTIMS[random(VICTIMS.length)] ?? [], random(MAXIMUM_DELAY_MS));
  });
  const answers = new Map<number, string>();
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < REQUESTS) {
      const index = next;
      next += 1;
      answers.set(index, await insist(pair, index));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await pair.settled();
  expect(pair.deaths).toBeGreaterThan(0);

  // Whoever asks again is shown the same.
  for (const index of [...answers.keys()].slice(0, 20)) {
    expect(await insist(pair, index)).toBe(answers.get(index));
  }
  const jobs = await waitFor(async () => {
    const health = await fetch(`${worker}/health`);
    const { jobs: states } = (await health.json()) as { jobs: Record<string, number> };
    const { accepted, proven, submitted } = states;
    return accepted === 0 && proven === 0 && submitted === 0 ? states : undefined;
  });
  expect(jobs).toMatchObject({ settled: REQUESTS, failed: 0 });
  const counts = await tee.chain.countSettlements();
  expect([...counts.keys()].sort()).toEqual([...answers.values()].sort());
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
});
