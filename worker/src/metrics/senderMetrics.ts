import { Counter, Gauge, type Registry } from "prom-client";

/** What sending transactions of an account counts, whatever they are for. */
export type SenderMetrics = {
  /** what was done to transactions: signed, replaced, rebroadcast, refused, taken, gapFilled */
  transactions: Counter<"event">;
  /** wei per gas */
  baseFee: Gauge;
  /** 1 while gas is above the ceiling */
  gasWaiting: Gauge;
};

export function createSenderMetrics(registers: Registry[]): SenderMetrics {
  return {
    transactions: new Counter({
      name: "haca_transactions_total",
      help: "Transactions by what was done to them",
      labelNames: ["event"],
      registers,
    }),
    baseFee: new Gauge({
      name: "haca_gas_base_fee_wei",
      help: "Base fee of the latest block in wei per gas",
      registers,
    }),
    gasWaiting: new Gauge({
      name: "haca_gas_waiting",
      help: "1 while gas is above the ceiling and nothing is sent, else 0",
      registers,
    }),
  };
}
