/** What it takes to capture payments. */
export type PaymentPorts = {
  /** address of InferenceEscrow */
  escrow: string;
  /** rest between two looks at a payment */
  lookSeconds: number;
};
