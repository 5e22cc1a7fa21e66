import { hashWords, type InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import type { Consent } from "@haca/protocol/verdicts/verdict";
import { id, toBeHex, ZeroAddress, ZeroHash } from "ethers";
import { ECDSA_MUTATIONS, flipBit, flipBitOf } from "./byteMutations.ts";
import type { Random } from "./seededRandom.ts";
import type { World } from "./verdictWorld.ts";

/** A result, changed or not, with what TypeScript and what the contract says of it. */
export type Case = { name: string; here: string; there: string };

export type Makes = { world: World; random: Random };

/**
 * How a case of a kind comes about: a draft is made, changed, and sealed with evidence (signature, proof), which is changed
 * as well. In some of the cases the evidence is that of the draft before it was changed.
 */
export type Kind<Draft, Evidence> = {
  base: (makes: Makes) => Draft;
  drafts: Record<string, (draft: Draft, makes: Makes) => Draft>;
  seal: (draft: Draft, makes: Makes) => Evidence;
  evidences: Record<string, (evidence: Evidence, draft: Draft, makes: Makes) => Evidence>;
  compare: (draft: Draft, evidence: Evidence, makes: Makes) => Promise<Omit<Case, "name">>;
};

/** A prime above the number of changes of every kind: in steps of it each has its turn, far from its neighbours. */
const STRIDE = 101;

/** Makes case number `number`. The first turn of a change is it alone; in later ones another may come on top. */
export function makeCase<Draft, Evidence>(parameters: {
  kind: Kind<Draft, Evidence>;
  makes: Makes;
  number: number;
}): Promise<Case> {
  const { kind, makes, number } = parameters;
  const { random } = makes;
  const names = namesOf(kind);
  const chosen = [names[(number * STRIDE) % names.length] ?? ""];
  const isFirst = number < names.length;
  if (!isFirst && random.below(3) === 0) chosen.push(random.pick(names));
  const isStale = !isFirst && random.below(4) === 0;
  return makeChanged({ kind, makes, chosen, isStale });
}

export const namesOf = ({ drafts, evidences }: { drafts: object; evidences: object }): string[] => [
  ...Object.keys(drafts),
  ...Object.keys(evidences),
];

/** Makes the case of certain changes. */
export async function makeChanged<Draft, Evidence>(parameters: {
  kind: Kind<Draft, Evidence>;
  makes: Makes;
  chosen: readonly string[];
  isStale: boolean;
}): Promise<Case> {
  const { kind, makes, chosen, isStale } = parameters;
  let draft = kind.base(makes);
  const stale = isStale ? kind.seal(draft, makes) : undefined;
  for (const name of chosen) draft = kind.drafts[name]?.(draft, makes) ?? draft;
  let evidence = stale ?? kind.seal(draft, makes);
  for (const name of chosen) evidence = kind.evidences[name]?.(evidence, draft, makes) ?? evidence;
  const said = await kind.compare(draft, evidence, makes);
  return { ...said, name: `${chosen.join(", ")}${isStale ? ", evidence of before" : ""}` };
}

/** A result of the world's node for a version with a key, answered now. */
export const baseResult = (
  { world, random }: Makes,
  overrides: Partial<InferenceResult> = {},
): InferenceResult => ({
  modelVersion: world.versions.proved,
  ...{ inputHash: id("question"), outputHash: id("answer"), requester: ZeroAddress },
  requestId: encodeRequestId({ node: world.node.address, nonce: freshNonce(random) }),
  ...{ price: 0n, timestamp: world.state.now, teeId: ZeroHash },
  ...overrides,
});

/** Nonces above those that the world's life takes. */
export const freshNonce = (random: Random): bigint => 1_000n + BigInt(random.below(1 << 20));

type ChangeResult = (result: InferenceResult, makes: Makes) => Partial<InferenceResult>;

/** Changes of a result that make sense for every kind. */
export const RESULT_CHANGES: Record<string, ChangeResult> = {
  nothing: () => ({}),
  modelVersionBit: ({ modelVersion }, { random }) => ({
    modelVersion: flipBit(modelVersion, random),
  }),
  inputHashBit: ({ inputHash }, { random }) => ({ inputHash: flipBit(inputHash, random) }),
  outputHashBit: ({ outputHash }, { random }) => ({ outputHash: flipBit(outputHash, random) }),
  requesterBit: ({ requester }, { random }) => ({ requester: flipBit(requester, random) }),
  requestIdBit: ({ requestId }, { random }) => ({ requestId: flipBit(requestId, random) }),
  nonceBit: ({ requestId }, { random }) => ({
    requestId: toBeHex(flipBitOf(BigInt(requestId), 96, random), 32),
  }),
  priceBit: ({ price }, { random }) => ({ price: flipBitOf(price, 256, random) }),
  timestampBit: ({ timestamp }, { random }) => ({ timestamp: flipBitOf(timestamp, 64, random) }),
  teeIdBit: ({ teeId }, { random }) => ({ teeId: flipBit(teeId, random) }),
  otherVersion: (_, { world, random }) => ({
    modelVersion: random.pick(Object.values(world.versions)),
  }),
  deprecatedVersion: (_, { world, random }) => ({
    modelVersion: random.pick([world.versions.provedOnce, world.versions.signedOnce]),
  }),
  aroundItsDeprecation: ({ timestamp }, { world, random }) => {
    const modelVersion = random.pick([world.versions.provedOnce, world.versions.signedOnce]);
    const { deprecatedAt = timestamp } = world.state.versions.get(modelVersion) ?? {};
    return { modelVersion, timestamp: deprecatedAt - BigInt(random.below(2)) };
  },
  whenSomethingHappened: (_, { world, random }) => ({
    timestamp: random.pick(world.moments) + BigInt(random.below(3) - 1),
  }),
  ahead: (_, { world }) => ({ timestamp: world.state.now + 60n }),
  tooFarAhead: (_, { world }) => ({ timestamp: world.state.now + 61n }),
  lastSecond: (_, { world }) => ({ timestamp: world.state.now - world.state.settlementWindow }),
  tooLate: (_, { world }) => ({ timestamp: world.state.now - world.state.settlementWindow - 1n }),
  namesAnEnclave: (_, { world }) => ({ teeId: world.enclaves.rsa.teeId }),
  ofAnEnclavesNode: ({ requestId }, { world }) => ({
    requestId: encodeRequestId({
      node: nodeOfEnclave(world.enclaves.rsa.teeId),
      nonce: BigInt(requestId) & 0xffffn,
    }),
  }),
};

/** The changes of a result, for a draft that has one. */
export const draftChanges = <Draft extends { result: InferenceResult }>(): Kind<
  Draft,
  unknown
>["drafts"] =>
  Object.fromEntries(
    Object.entries(RESULT_CHANGES).map(([name, change]) => [
      name,
      (draft: Draft, makes: Makes): Draft => ({
        ...draft,
        result: { ...draft.result, ...change(draft.result, makes) },
      }),
    ]),
  );

/** What becomes of a signature of the node, or of who sends. */
export const consentChanges = <
  Draft,
  Evidence extends { signature: string; sender: string },
>(): Kind<Draft, Evidence>["evidences"] => ({
  ...Object.fromEntries(
    Object.entries(ECDSA_MUTATIONS).map(([name, change]) => [
      `consent ${name}`,
      (evidence: Evidence, _: Draft, { random }: Makes) => ({
        ...evidence,
        signature: change(evidence.signature, random),
      }),
    ]),
  ),
  sentByTheNode: (evidence, _, { world, random }) => ({
    ...evidence,
    sender: world.node.address,
    signature: random.pick(["0x", evidence.signature]),
  }),
});

/** The hashes of words, two in and one out. */
export const hashesOf = (
  words: readonly bigint[],
): Pick<InferenceResult, "inputHash" | "outputHash"> => ({
  inputHash: hashWords(words.slice(0, 2)),
  outputHash: hashWords(words.slice(2)),
});

/** Consent as TypeScript is told of it: of the one node that is a contract, the chain says whether it takes a signature. */
export async function consentOf(parameters: {
  world: World;
  node: string;
  digest: string;
  sender: string;
  signature: string;
}): Promise<Consent> {
  const { world, node, digest, sender, signature } = parameters;
  if (node !== world.wallet.target) return { sender, signature };
  const answer = await world.wallet.isValidSignature(digest, signature);
  return { sender, signature, isTakenByCode: answer === "0x1626ba7e" };
}
