import type { Registry } from "prom-client";
import { addGauge } from "../../../metrics/addGauge.ts";
import type { Database } from "../../../storage/database.ts";
import { countPayments } from "./paymentQueue.ts";

/** What the queue knows of payments. */
export function addPaymentGauges(parameters: { database: Database; registers: Registry[] }): void {
  const { database, registers } = parameters;
  addGauge({
    registers,
    definition: {
      name: "haca_payments",
      help: "Payments by state",
      labelNames: ["state"],
      async read(gauge) {
        const { states } = await countPayments({ database });
        for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
      },
    },
  });
  addGauge({
    registers,
    definition: {
      name: "haca_payment_oldest_seconds",
      help: "Age of the oldest payment that is neither settled nor failed",
      async read(gauge) {
        gauge.set((await countPayments({ database })).oldestSeconds);
      },
    },
  });
}
