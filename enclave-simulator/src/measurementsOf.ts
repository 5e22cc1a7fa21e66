import { createHash } from "node:crypto";
import { concat, keccak256 } from "ethers";
import type { Measurements } from "./simulatedEnclave.ts";

/** Measurements of an imaginary image: different for every name, the same for the same name. */
export function measurementsOf(image: string): Measurements {
  const pcr = (index: number) =>
    new Uint8Array(createHash("sha384").update(`${image} ${index}`).digest());
  return [pcr(0), pcr(1), pcr(2)];
}

/** Name of an image in the registry: keccak256 of PCR0 | PCR1 | PCR2. */
export const pcrHashOf = (measurements: Measurements): string => keccak256(concat(measurements));
