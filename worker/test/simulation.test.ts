import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { pageInterface } from "../src/chain/chain.ts";
import type { FrontMode } from "./support/blobFront.ts";
import { EndpointProxy, type ProxyMode } from "./support/endpointProxy.ts";
import { ask, endLeases, readJobStates, readStates } from "./support/manyJobs.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { waitFor } from "./support/processes.ts";
import { handIn, ResultBed } from "./support/resultBed.ts";
import { seeded } from "./support/seeded.ts";
import type { Entry } from "./support/signedResults.ts";
import { Testbed } from "./support/testbed.ts";
import { type Settings, WorkerProcess } from "./support/worker.ts";

const isDeep = process.env.HACA_DEEP === "1";
const RESULTS = isDeep ? 2_000 : 120;
/** Requests for proofs among them, which take the time. */
const PROOFS = isDeep ? 100 : 6;
const SEED = process.env.HACA_SEED ?? "simulation";
const ACCOUNT = 1;
const WORKERS = 3;
const REORG_BLOCKS = 64;

/** Three workers, and everything that can happen to them. */
class Simulation {
  readonly #bed: ResultBed;
  readonly #proxy: EndpointProxy;
  readonly #settings: Settings;
  readonly #databaseUrl: string;
  readonly #random = seeded(SEED);
  #workers: { process: WorkerProcess; url: string }[] = [];
  #snapshot: unknown;
  /** what was answered with 202, or with an answer */
  readonly accepted = new Set<string>();
  readonly happened: Record<string, number> = {};

  constructor(parameters: {
    bed: ResultBed;
    proxy: EndpointProxy;
    settings: Settings;
    databaseUrl: string;
  }) {
    this.#bed = parameters.bed;
    this.#proxy = parameters.proxy;
    this.#settings = parameters.settings;
    this.#databaseUrl = parameters.databaseUrl;
  }

  async start(): Promise<void> {
    for (let count = 0; count < WORKERS; count++) await this.#add();
  }

  async stop(): Promise<void> {
    for (const { process } of this.#workers) await process.child.stop("SIGKILL");
  }

  /** A client that does not give up: the same again at another worker is the same job. */
  async collect(entries: readonly Entry[]): Promise<void> {
    for (;;) {
      const { url } = this.#any();
      const ids = await handIn(url, entries).catch(() => undefined);
      if (ids === undefined) {
        this.#note("refused");
        this.#repair();
        continue;
      }
      for (const requestId of ids) this.accepted.add(requestId);
      return;
    }
  }

  /** A client that does not mind: what has no answer may be there or not. */
  async infer(): Promise<void> {
    const answer = await ask(this.#any().url).catch(() => undefined);
    if (answer?.requestId !== undefined) this.accepted.add(answer.requestId);
  }

  /** One of the things that happen. */
  async trouble(): Promise<void> {
    const { chain } = this.#bed.tee;
    const kinds = ["kill", "endpoint", "store", "reorganisation", "repair", "nothing"] as const;
    const kind = kinds[this.#random(kinds.length)] ?? "nothing";
    this.#note(kind);
    if (kind === "kill") {
      const [victim] = this.#workers.splice(this.#random(this.#workers.length), 1);
      await victim?.process.child.stop("SIGKILL");
      this.#repair();
      await this.#add();
      await endLeases(this.#databaseUrl);
    } else if (kind === "endpoint") {
      const modes: ProxyMode[] = ["down", "failing"];
      this.#proxy.mode = modes[this.#random(modes.length)] ?? "down";
    } else if (kind === "store") {
      const modes: FrontMode[] = ["down", "failing", "lying", "cutting", "otherId"];
      this.#bed.front.mode = modes[this.#random(modes.length)] ?? "down";
    } else if (kind === "reorganisation") {
      if (this.#snapshot !== undefined) await chain.send("evm_revert", this.#snapshot);
      this.#snapshot = await chain.send("evm_snapshot");
      await chain.send("evm_mine");
    } else {
      this.#repair();
    }
  }

  /** Nothing more happens: everything that is on its way arrives. */
  async settle(): Promise<void> {
    this.#repair();
    this.#snapshot = undefined;
    await endLeases(this.#databaseUrl);
    await this.#without(["accepted", "proven", "submitted"]);
    await this.#bed.pages.end();
    await this.#bed.tee.chain.send("anvil_mine", `0x${(REORG_BLOCKS + 1).toString(16)}`);
    await this.#without(["accepted", "proven", "submitted", "pending"]);
  }

  async #without(states: readonly string[]): Promise<void> {
    await waitFor(async () => {
      // What is not mined by itself after a reorganisation is found out by looking.
      await this.#bed.tee.chain.send("evm_mine");
      const jobs = await readStates(this.#databaseUrl);
      return states.every((state) => (jobs[state] ?? 0) === 0) ? true : undefined;
    });
  }

  async #add(): Promise<void> {
    const roles = ["infer", "prove", "collect", "settle"];
    const process = new WorkerProcess({ settings: this.#settings, roles });
    this.#workers.push({ process, url: await process.url() });
  }

  #any() {
    const worker = this.#workers[this.#random(this.#workers.length)];
    if (worker === undefined) throw new Error("no worker runs");
    return worker;
  }

  #repair(): void {
    this.#proxy.mode = "up";
    this.#bed.front.mode = "up";
  }

  #note(what: string): void {
    this.happened[what] = (this.happened[what] ?? 0) + 1;
  }
}

describe.skipIf(inject("postgresUrl") === undefined)(
  "three workers in all kinds of trouble",
  () => {
    let bed: ResultBed;
    let testbed: Testbed;
    let proxy: EndpointProxy;
    beforeAll(async () => {
      bed = await ResultBed.start([ACCOUNT]);
      testbed = await Testbed.start(bed.tee.chain);
      proxy = await EndpointProxy.start(bed.tee.chain.url);
    });
    afterAll(async () => {
      proxy.stop();
      await bed.stop();
    });

    it(`settle each of ${RESULTS} results once, by the chain as by the queue (seed ${SEED})`, {
      timeout: isDeep ? 3_600_000 : 600_000,
    }, async () => {
      const databaseUrl = await newDatabase();
      const simulation = new Simulation({
        ...{ bed, proxy, databaseUrl },
        settings: {
          ...bed.settings(ACCOUNT, 16),
          ...(await testbed.settings({ account: ACCOUNT })),
          HACA_RPC_URL: proxy.url,
          HACA_WORKER_DATABASE_URL: databaseUrl,
          HACA_REORG_BLOCKS: String(REORG_BLOCKS),
          HACA_REBROADCAST_MS: "2000",
          ...{ HACA_BATCH_SIZE: "4", HACA_BATCH_MAX_AGE: "2000" },
        },
      });
      const random = seeded(`${SEED} clients`);
      try {
        await simulation.start();
        let proofs = 0;
        for (let made = 0; made < RESULTS - PROOFS; ) {
          const entries = await bed.make(ACCOUNT, 1 + random(8));
          made += entries.length;
          const alone = random(4) === 0;
          await simulation.collect(entries.map((entry) => ({ ...entry, alone })));
          if (proofs < PROOFS && random(2) === 0) {
            proofs += 1;
            await simulation.infer();
          }
          await simulation.trouble();
        }
        await simulation.settle();
      } finally {
        await simulation.stop();
      }
      const { accepted, happened } = simulation;
      const jobs = await readJobStates(databaseUrl);
      // What was promised is there, and ended well; so did what has lost only its answer.
      for (const requestId of accepted) expect(jobs.has(requestId)).toBe(true);
      expect(new Set(jobs.values())).toEqual(new Set(["settled"]));
      // The chain has the same requests, each of them once.
      const counts = await bed.tee.chain.countSettlements();
      expect([...counts.keys()].sort()).toEqual([...jobs.keys()].sort());
      expect(new Set(counts.values())).toEqual(new Set([1]));
      await expectFinal(bed);
      for (const kind of ["kill", "endpoint", "store", "reorganisation"]) {
        expect(happened[kind], `${kind} has to happen`).toBeGreaterThan(0);
      }
    });
  },
);

/** No page that was proposed is anything but final. */
async function expectFinal(bed: ResultBed): Promise<void> {
  const { contract } = bed.pages;
  const topics = [pageInterface.getEvent("PageProposed")?.topicHash ?? ""];
  const filter = { address: String(contract.target), topics, fromBlock: 0 };
  const logs = await bed.tee.chain.provider.getLogs(filter);
  expect(logs.length).toBeGreaterThan(0);
  for (const { topics: indexed } of logs) {
    expect((await contract.stateOfPage(indexed[1] ?? "")).state).toBe(2n);
  }
}
