import { Counter, type Registry } from "prom-client";
import { addGauge } from "../metrics/addGauge.ts";
import type { Database } from "../storage/database.ts";
import { countWatched } from "./watchedPages.ts";

/** What looking at pages counts. */
export type VerifierMetrics = {
  /** leaves on which contract and this program differ */
  differences: Counter;
  /** challenges by what became of them */
  challenges: Counter<"outcome">;
  /** signatures of this validator */
  attestations: Counter;
};

export function createVerifierMetrics(parameters: {
  database: Database;
  registers: Registry[];
}): VerifierMetrics {
  const { database, registers } = parameters;
  addGauge({
    registers,
    definition: {
      name: "haca_watched_pages",
      help: "Pages that something can be shown against, by verdict",
      labelNames: ["verdict"],
      async read(gauge) {
        const { verdicts } = await countWatched({ database });
        for (const [verdict, count] of Object.entries(verdicts)) gauge.set({ verdict }, count);
      },
    },
  });
  addGauge({
    registers,
    definition: {
      name: "haca_followed_block",
      help: "Block up to which events of pages were read",
      async read(gauge) {
        gauge.set((await countWatched({ database })).block);
      },
    },
  });
  return {
    differences: new Counter({
      name: "haca_verdict_differences_total",
      help: "Leaves that contract and worker judge differently",
      registers,
    }),
    challenges: new Counter({
      name: "haca_challenges_total",
      help: "Challenges by what became of them",
      labelNames: ["outcome"],
      registers,
    }),
    attestations: new Counter({
      name: "haca_attestations_total",
      help: "Pages that this validator signed",
      registers,
    }),
  };
}
