import { deployGroth16Harness } from "../utils/groth16Harness.ts";
import { makeProof, makeTrapdoor, makeVerifyingKey } from "../utils/groth16Simulator.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";
import type { Measure } from "./measurement.ts";

const SIGNAL_COUNTS = [1, 2, 4, 8, 16];

/** The library alone: key loaded from a cold key store, public point, pairing. */
export const measureGroth16: Measure = async ({ ethers }) => {
  const harness = await deployGroth16Harness(ethers);
  const samples: Record<string, bigint[]> = {};
  const notes: Record<string, string> = {};
  for (const signalCount of SIGNAL_COUNTS) {
    const random = scalarsFrom(`gas ${signalCount}`);
    const trapdoor = makeTrapdoor({ signalCount, random });
    const signals = Array.from({ length: signalCount }, random);
    const proof = makeProof({ trapdoor, signals, a: random(), b: random() });
    const store = await harness.storeKey(makeVerifyingKey(trapdoor));
    samples[`groth16.verify.${signalCount}`] = [
      await harness.measureVerify({ store, proof, signals }),
    ];
    notes[`groth16.verify.${signalCount}`] =
      `library call alone, ${signalCount} public signals, cold key store`;
  }
  return { samples, notes };
};
