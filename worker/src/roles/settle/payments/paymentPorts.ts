import type { LogSlices } from "@haca/protocol/logSlices";

/** What it takes to capture payments. */
export type PaymentPorts = {
  /** address of InferenceEscrow */
  escrow: string;
  /** rest between two looks at a payment */
  lookSeconds: number;
  /** how logs of openings are read */
  slices: LogSlices;
};
