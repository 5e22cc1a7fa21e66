import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Database } from "../storage/database.ts";
import { addQueueGauges } from "./addQueueGauges.ts";
import { createSenderMetrics, type SenderMetrics } from "./senderMetrics.ts";

export type Metrics = SenderMetrics & {
  registry: Registry;
  requests: Counter<"status">;
  witnessSeconds: Histogram<"model">;
  proveSeconds: Histogram<"model">;
  proofs: Counter<"backend">;
  /** by the kind of settlement */
  settlementGas: Histogram<"kind">;
  /** jobs that a transaction settled, by the kind of settlement */
  settlementJobs: Histogram<"kind">;
  /** jobs that were set apart, because a transaction with others would revert, or did */
  setApart: Counter;
  /** wei */
  accountBalance: Gauge;
  /** 1 while the account cannot pay for a settlement */
  accountUnfunded: Gauge;
  /** seconds by which this machine's clock is ahead of the chain's */
  clockAhead: Gauge;
  /** 1 while a role backs off */
  roleBackingOff: Gauge<"role">;
};

/** Dense where one settlement is, doubling up to the largest batch. */
const GAS_BUCKETS = [
  ...[200_000, 225_000, 250_000, 275_000, 300_000, 350_000, 400_000, 500_000],
  ...[1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000],
];

/** Prometheus metrics of one worker. What the queue knows is read from it at each scrape. */
export function createMetrics(parameters: { database: Database }): Metrics {
  const { database } = parameters;
  const registry = new Registry();
  const registers = [registry];
  addQueueGauges({ database, registers });
  const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
  return {
    ...createSenderMetrics(registers),
    registry,
    requests: new Counter({
      name: "haca_http_requests_total",
      help: "HTTP requests by status",
      labelNames: ["status"],
      registers,
    }),
    witnessSeconds: new Histogram({
      name: "haca_witness_seconds",
      help: "Time to compute a witness",
      labelNames: ["model"],
      buckets: seconds,
      registers,
    }),
    proveSeconds: new Histogram({
      name: "haca_prove_seconds",
      help: "Time to make a proof from a witness",
      labelNames: ["model"],
      buckets: seconds,
      registers,
    }),
    proofs: new Counter({
      name: "haca_proofs_total",
      help: "Proofs by what made them: native or snarkjs",
      labelNames: ["backend"],
      registers,
    }),
    settlementGas: new Histogram({
      name: "haca_settlement_gas",
      help: "Gas used by a transaction that settled jobs, by the kind of settlement",
      labelNames: ["kind"],
      buckets: GAS_BUCKETS,
      registers,
    }),
    settlementJobs: new Histogram({
      name: "haca_settlement_jobs",
      help: "Jobs that a transaction settled, by the kind of settlement",
      labelNames: ["kind"],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    setApart: new Counter({
      name: "haca_jobs_set_apart_total",
      help: "Jobs that are settled alone, because a transaction with others would revert, or did",
      registers,
    }),
    accountBalance: new Gauge({
      name: "haca_account_balance_wei",
      help: "What the node's account holds, in wei",
      registers,
    }),
    accountUnfunded: new Gauge({
      name: "haca_account_unfunded",
      help: "1 while the node's account cannot pay for a settlement, else 0",
      registers,
    }),
    clockAhead: new Gauge({
      name: "haca_clock_ahead_seconds",
      help: "Seconds by which this machine's clock is ahead of the chain's; 0 without doubt",
      registers,
    }),
    roleBackingOff: new Gauge({
      name: "haca_role_backing_off",
      help: "1 while a role backs off after an error, else 0",
      labelNames: ["role"],
      registers,
    }),
  };
}
