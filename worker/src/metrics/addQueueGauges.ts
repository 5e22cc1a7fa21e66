import type { Registry } from "prom-client";
import { countChannelRefunds, countChannelResults, countChannels } from "../jobs/countChannels.ts";
import { countPages } from "../jobs/countPages.ts";
import { countDemands } from "../jobs/demands.ts";
import { countHeldPayments } from "../jobs/heldPayments.ts";
import { countOpen } from "../jobs/openTransactions.ts";
import { countJobs } from "../jobs/readJobs.ts";
import type { Database } from "../storage/database.ts";
import { addGauge, type GaugeDefinition } from "./addGauge.ts";

/** What the queue knows: read from it at each scrape, absent while it is away. */
export function addQueueGauges(parameters: { database: Database; registers: Registry[] }): void {
  const { database, registers } = parameters;
  const add = (definition: GaugeDefinition): void => addGauge({ registers, definition });
  add({
    name: "haca_jobs",
    help: "Jobs by state",
    labelNames: ["state"],
    async read(gauge) {
      const { states } = await countJobs({ database });
      for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
    },
  });
  add({
    name: "haca_jobs_failed",
    help: "Failed jobs by reason",
    labelNames: ["reason"],
    async read(gauge) {
      const { failures } = await countJobs({ database });
      for (const [reason, count] of Object.entries(failures)) gauge.set({ reason }, count);
    },
  });
  add({
    name: "haca_transactions_open",
    help: "Recorded transactions that are not known to be mined",
    async read(gauge) {
      gauge.set((await countOpen({ database })).open);
    },
  });
  add({
    name: "haca_transaction_oldest_seconds",
    help: "Age of the oldest of them since its latest attempt was signed",
    async read(gauge) {
      gauge.set((await countOpen({ database })).oldestSeconds);
    },
  });
  add({
    name: "haca_pages",
    help: "Pages by state",
    labelNames: ["state"],
    async read(gauge) {
      const { states } = await countPages({ database });
      for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
    },
  });
  add({
    name: "haca_page_oldest_pending_seconds",
    help: "Age of the oldest pending page since its proposal was mined",
    async read(gauge) {
      gauge.set((await countPages({ database })).oldestPendingSeconds);
    },
  });
  add({
    name: "haca_demands_open",
    help: "Proofs of own pages that are demanded and not given",
    async read(gauge) {
      gauge.set((await countDemands({ database })).open);
    },
  });
  add({
    name: "haca_demand_seconds_left",
    help: "Seconds that are left for the nearest of them; absent without one",
    async read(gauge) {
      const { secondsLeft } = await countDemands({ database });
      if (secondsLeft === null) gauge.remove();
      else gauge.set(secondsLeft);
    },
  });
  add({
    name: "haca_held_payments",
    help: "Payments that wait for their results or had an end, by who holds them and how their jobs stand",
    labelNames: ["holder", "state"],
    async read(gauge) {
      for (const { holder, payments, state } of await countHeldPayments({ database })) {
        gauge.set({ holder, state }, payments);
      }
    },
  });
  add({
    name: "haca_channel_results",
    help: "Results that are paid by channels, by what became of them",
    labelNames: ["state"],
    async read(gauge) {
      const { states } = await countChannelResults({ database });
      for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
    },
  });
  add({
    name: "haca_channel_result_oldest_seconds",
    help: "Age of the oldest of them that is settled and not counted, since it was settled",
    async read(gauge) {
      gauge.set((await countChannelResults({ database })).oldestSeconds);
    },
  });
  add({
    name: "haca_channels",
    help: "Payment channels by whether what was counted is claimed",
    labelNames: ["state"],
    async read(gauge) {
      const { states } = await countChannels({ database });
      for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
    },
  });
  add({
    name: "haca_channel_oldest_unclaimed_seconds",
    help: "For how long the channel that waits longest to be claimed of has done so",
    async read(gauge) {
      gauge.set((await countChannels({ database })).oldestSeconds);
    },
  });
  add({
    name: "haca_channel_refunds",
    help: "Channels by what became of their gateways' last orders to give back what is left",
    labelNames: ["state"],
    async read(gauge) {
      const states = await countChannelRefunds({ database });
      for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
    },
  });
}
