import { curves } from "snarkjs";

/**
 * Ends the worker threads that snarkjs keeps for its curve; without that the process does not exit. Everything in
 * the process that uses snarkjs must be done.
 */
export async function releaseCurve(): Promise<void> {
  const curve = await curves.getCurveFromName("bn128");
  await curve.terminate();
}
