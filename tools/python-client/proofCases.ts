import { isProof } from "@haca/sdk/groth16";
import { P, pointOutsideG2, R } from "../../test/contracts/utils/bn254.ts";
import { BYTE_MUTATIONS, flipBit } from "../../test/contracts/utils/byteMutations.ts";
import {
  encodeG1,
  encodeG2,
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../test/contracts/utils/groth16Simulator.ts";
import { addToCoordinate, replaceInProof } from "../../test/contracts/utils/proofParts.ts";
import { scalarsFrom } from "../../test/contracts/utils/randomScalars.ts";
import type { Random } from "../../test/contracts/utils/seededRandom.ts";

/** What the SDK says: `refused` is what it throws for, because there is nothing that could hold. */
export type Outcome = "holds" | "fails" | "refused";

/** A proof, and what the SDK says of it. Signals are decimal digits. */
export type ProofCase = {
  name: string;
  verifyingKey: string;
  proof: string;
  signals: string[];
  sdk: Outcome;
};

type Proved = Omit<ProofCase, "name" | "sdk">;
/** A proof that holds, and one of the same signals of which A is zero. */
type Sound = Proved & { ofZero: string };

const SIGNALS = 3;
const COORDINATES = 8;

/** Changes of a proof that holds, each of which is made in turn. */
const CHANGES: Record<string, (sound: Sound, random: Random) => Partial<Proved>> = {
  none: () => ({}),
  aZero: ({ ofZero }) => ({ proof: ofZero }),
  bZero: ({ proof }) => ({ proof: replaceInProof(proof, { b: encodeG2("zero") }) }),
  cZero: ({ proof }) => ({ proof: replaceInProof(proof, { c: encodeG1("zero") }) }),
  bOutsideSubgroup: ({ proof }) => ({
    proof: replaceInProof(proof, { b: encodeG2(pointOutsideG2()) }),
  }),
  alias: ({ proof }, random) => ({
    proof: addToCoordinate({ data: proof, index: random.below(COORDINATES), amount: P }),
  }),
  signalAboveOrder: ({ signals }) => ({
    signals: signals.with(1, String(BigInt(signals[1] ?? "") + R)),
  }),
  signalMissing: ({ signals }) => ({ signals: signals.slice(1) }),
  otherSignal: ({ signals }, random) => ({
    signals: signals.with(random.below(SIGNALS), String(random.below(1000))),
  }),
  ofProof: ({ proof }, random) => ({ proof: mutated(proof, random) }),
  bitOfProof: ({ proof }, random) => ({ proof: flipBit(proof, random) }),
  bitOfKey: ({ verifyingKey }, random) => ({ verifyingKey: flipBit(verifyingKey, random) }),
};

const mutated = (bytes: string, random: Random): string =>
  random.pick(Object.values(BYTE_MUTATIONS))(bytes, random);

export function proofCases({ count, random }: { count: number; random: Random }): ProofCase[] {
  const scalars = scalarsFrom("python client");
  const trapdoor = makeTrapdoor({ signalCount: SIGNALS, random: scalars });
  const verifyingKey = makeVerifyingKey(trapdoor);
  const kinds = Object.entries(CHANGES);
  return Array.from({ length: count }, (_, index) => {
    const [name, change] = kinds[index % kinds.length] ?? random.pick(kinds);
    const signals = Array.from({ length: SIGNALS }, scalars);
    const proof = makeProof({ trapdoor, signals, a: scalars(), b: scalars() });
    const ofZero = makeProof({ trapdoor, signals, a: 0n, b: scalars() });
    const sound = { verifyingKey, proof, signals: signals.map(String) };
    const changed = { ...sound, ...change({ ...sound, ofZero }, random) };
    return { name, ...changed, sdk: outcomeOf(changed) };
  });
}

function outcomeOf({ verifyingKey, proof, signals }: Proved): Outcome {
  try {
    return isProof({ verifyingKey, proof, signals: signals.map(BigInt) }) ? "holds" : "fails";
  } catch {
    return "refused";
  }
}
