import { Gauge, type Registry } from "prom-client";
import { DatabaseAwayError } from "../storage/databaseFailure.ts";

export type GaugeDefinition = {
  name: string;
  help: string;
  labelNames?: string[];
  /** sets what there is; what is not set is absent */
  read: (gauge: Gauge) => Promise<void>;
};

/** A gauge that is read from the database at each scrape, and absent while that is away. */
export function addGauge(parameters: { registers: Registry[]; definition: GaugeDefinition }): void {
  const { registers } = parameters;
  const { read, ...options } = parameters.definition;
  new Gauge({
    ...options,
    registers,
    async collect() {
      this.reset();
      try {
        await read(this);
      } catch (error) {
        if (!(error instanceof DatabaseAwayError)) throw error;
        // A gauge without labels is 0 after its reset, which would be a lie.
        if (options.labelNames === undefined) this.remove();
      }
    },
  });
}
