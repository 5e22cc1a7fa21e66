import { contextOf, hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { decodeRequestId, encodeRequestId } from "@haca/protocol/requestId";
import { judgeZkml } from "@haca/protocol/verdicts/judgeZkml";
import { concat } from "ethers";
import {
  addG1,
  G1_GENERATOR,
  G2_GENERATOR,
  inverse,
  modulo,
  multiplyG1,
  multiplyG2,
  negateG1,
  P,
  pointOutsideG2,
  R,
} from "./bn254.ts";
import { BYTE_MUTATIONS, flipBitOf } from "./byteMutations.ts";
import { decodeG1, encodeG1, encodeG2 } from "./groth16Simulator.ts";
import { addToCoordinate, replaceInProof, splitProof } from "./proofParts.ts";
import { randomWords } from "./settlementFixture.ts";
import { GAS } from "./transactionGas.ts";
import {
  baseResult,
  consentChanges,
  consentOf,
  draftChanges,
  hashesOf,
  type Kind,
  type Makes,
} from "./verdictCases.ts";
import { ask, type World } from "./verdictWorld.ts";

export type Proved = { result: InferenceResult; words: readonly bigint[] };
type ProvedEvidence = { proof: string; signature: string; sender: string };

/** A and B of every proof here, C follows from the rest; and a second pair with the same product. */
const [A, B, FACTOR] = [7_919n, 104_729n, 31n];
const POINT_A = encodeG1(multiplyG1(G1_GENERATOR, A));
const POINT_B = encodeG2(multiplyG2(G2_GENERATOR, B));
const OTHER_A = encodeG1(multiplyG1(G1_GENERATOR, A * FACTOR));
const OTHER_B = encodeG2(multiplyG2(G2_GENERATOR, B * inverse(FACTOR, R)));
const OUTSIDE_G2 = encodeG2(pointOutsideG2());
const ZERO_G1 = encodeG1("zero");

/** A proof of the words and the result, by the key's trapdoor. */
export const proveIn = ({ state, trapdoor }: World, { result, words }: Proved): string => {
  const { alpha, beta, gamma, delta, ic } = trapdoor;
  const [first = 0n, second = 0n, third = 0n] = words;
  const signals = [1n, first, second, third, contextOf({ domain: state.domain, result })];
  const l = signals.reduce((sum, signal, i) => modulo(sum + signal * (ic[i] ?? 0n), R), 0n);
  const c = modulo((A * B - alpha * beta - l * gamma) * inverse(delta, R), R);
  return concat([POINT_A, POINT_B, encodeG1(multiplyG1(G1_GENERATOR, c))]);
};

export const baseProved = (makes: Makes): Proved => {
  const words = randomWords({ seed: String(makes.random.below(1 << 30)), count: 3 });
  return { words, result: baseResult(makes, hashesOf(words)) };
};

type ChangeProof = (proof: string, makes: Makes) => string;

/** What becomes of a proof; the last few still hold, or hold by chance of form only. */
export const PROOF_CHANGES: Record<string, ChangeProof> = {
  ...Object.fromEntries(
    Object.entries(BYTE_MUTATIONS).map(([name, change]) => [
      `proof ${name}`,
      (proof: string, { random }: Makes) => change(proof, random),
    ]),
  ),
  coordinateAboveOrder: (proof, { random }) =>
    addToCoordinate({ data: proof, index: random.below(8), amount: P }),
  coordinatePlusOne: (proof, { random }) =>
    addToCoordinate({ data: proof, index: random.below(8), amount: 1n }),
  aZero: (proof) => replaceInProof(proof, { a: ZERO_G1 }),
  bZero: (proof) => replaceInProof(proof, { b: encodeG2("zero") }),
  cZero: (proof) => replaceInProof(proof, { c: ZERO_G1 }),
  bOutsideSubgroup: (proof) => replaceInProof(proof, { b: OUTSIDE_G2 }),
  aNegated: (proof) =>
    replaceInProof(proof, { a: encodeG1(negateG1(decodeG1(splitProof(proof).a))) }),
  cMoved: (proof) =>
    replaceInProof(proof, { c: encodeG1(addG1(decodeG1(splitProof(proof).c), G1_GENERATOR)) }),
  aAndCSwapped: (proof) =>
    replaceInProof(proof, { a: splitProof(proof).c, c: splitProof(proof).a }),
  malleated: (proof) => replaceInProof(proof, { a: OTHER_A, b: OTHER_B }),
  ofOthers: (_, makes) => proveIn(makes.world, baseProved(makes)),
};

/** A proof has 256 bytes; what was cut or added before another change sees them is left as it is. */
const onWholeProofs =
  (change: ChangeProof): ChangeProof =>
  (proof, makes) =>
    proof.length === 2 + 2 * 256 ? tryChange(change, proof, makes) : proof;

function tryChange(change: ChangeProof, proof: string, makes: Makes): string {
  try {
    return change(proof, makes);
  } catch {
    // An overflow of 256 bits, or arithmetic on points that are none.
    return proof;
  }
}

export const changeProof = (name: string, proof: string, makes: Makes): string =>
  onWholeProofs(PROOF_CHANGES[name] ?? ((same) => same))(proof, makes);

type ChangeWords = (words: readonly bigint[], makes: Makes) => readonly bigint[];

const WORD_CHANGES: Record<string, ChangeWords> = {
  bitOfAWord: (words, { random }) =>
    changeOne(words, random.below(words.length), (word) => flipBitOf(word, 248, random)),
  aliasOfAWord: (words, { random }) =>
    changeOne(words, random.below(words.length), (word) => word + R),
  orderAsAWord: (words, { random }) => changeOne(words, random.below(words.length), () => R),
  oneWordLess: (words) => words.slice(1),
  oneWordMore: (words) => [...words, 1n],
  noWords: () => [],
  wordsReversed: (words) => [...words].reverse(),
};

const changeOne = (
  words: readonly bigint[],
  place: number,
  change: (word: bigint) => bigint,
): bigint[] => words.map((word, i) => (i === place ? change(word) : word));

/** Each change of words, with the hashes of before and with those that fit. */
const wordDrafts: Kind<Proved, ProvedEvidence>["drafts"] = Object.fromEntries(
  Object.entries(WORD_CHANGES).flatMap(([name, change]) => [
    [name, (draft: Proved, makes: Makes) => ({ ...draft, words: change(draft.words, makes) })],
    [
      `${name}, hashed`,
      (draft: Proved, makes: Makes) => {
        const words = change(draft.words, makes);
        return { words, result: { ...draft.result, ...hashesOf(words) } };
      },
    ],
  ]),
);

export const ZKML: Kind<Proved, ProvedEvidence> = {
  base: baseProved,
  drafts: {
    ...draftChanges<Proved>(),
    ...wordDrafts,
    versionWithoutKey: ({ words, result }, { world }) => ({
      ...{ words, result: { ...result, modelVersion: world.versions.signed } },
    }),
    takenRequest: ({ words, result }, { world }) => ({
      ...{ words, result: { ...result, requestId: world.taken.proved[0] ?? result.requestId } },
    }),
    recordedRequest: ({ words, result }, { world }) => ({
      ...{ words, result: { ...result, requestId: world.taken.vanilla[0] ?? result.requestId } },
    }),
    ofAContract: ({ words, result }, { world }) => {
      const { nonce } = decodeRequestId(result.requestId);
      const requestId = encodeRequestId({ node: String(world.wallet.target), nonce });
      return { words, result: { ...result, requestId } };
    },
  },
  seal: (draft, { world }) => ({
    proof: proveIn(world, draft),
    signature: world.node.signingKey.sign(
      hashResult({ domain: world.state.domain, result: draft.result }),
    ).serialized,
    sender: world.f.attacker.address,
  }),
  evidences: {
    ...consentChanges<Proved, ProvedEvidence>(),
    ...Object.fromEntries(
      Object.keys(PROOF_CHANGES).map((name) => [
        name,
        (evidence: ProvedEvidence, _: Proved, makes: Makes) => ({
          ...evidence,
          proof: changeProof(name, evidence.proof, makes),
        }),
      ]),
    ),
  },
  compare: async ({ result, words }, { proof, signature, sender }, { world }) => {
    const { state, settlement } = world;
    const { node } = decodeRequestId(result.requestId);
    const digest = hashResult({ domain: state.domain, result });
    const consent = await consentOf({ world, node, digest, sender, signature });
    const call = () =>
      settlement.settleZkml.staticCall(result, [...words], proof, signature, {
        from: sender,
        ...GAS,
      });
    return {
      here: judgeZkml({ result, words, proof, consent, state }),
      there: await ask(call),
    };
  },
};
