import type { LogSlices } from "@haca/protocol/logSlices";

/** What it takes to capture payments. */
export type PaymentPorts = {
  /** address of InferenceEscrow */
  escrow: string;
  /** operators of commerce payments that were found to be this deployment's, with the public escrow that they are over */
  knownOperators: Map<string, string>;
  /** rest between two looks at a payment */
  lookSeconds: number;
  /** how logs of openings are read */
  slices: LogSlices;
};
