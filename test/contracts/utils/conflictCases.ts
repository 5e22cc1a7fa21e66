import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { OPTIMISTIC } from "@haca/protocol/pageSettlement";
import { judgeConflict } from "@haca/protocol/verdicts/judgeConflict";
import { ACCEPTED } from "@haca/protocol/verdicts/verdict";
import { toBeHex, ZeroAddress, ZeroHash } from "ethers";
import { flipBit } from "./byteMutations.ts";
import { type Draft, LEAF, type Evidence as LeafEvidence, termsOf } from "./leafCases.ts";
import { type Signed, TEE } from "./signedCases.ts";
import { GAS } from "./transactionGas.ts";
import type { Kind, Makes } from "./verdictCases.ts";
import { ask } from "./verdictWorld.ts";

/** A leaf, and another result that was signed for its request. */
type Evidence = LeafEvidence & { other: InferenceResult; otherSignature: string };
type Change = Kind<Draft, Evidence>["evidences"][string];

/** The commitment is looked for last: where it alone is missing, the receipts conflict. */
const SHOWN = "PageSettlement_CommitmentInvalid";

/** By the enclave that the result names, or any; by the node where it names none. */
function signerOf({ teeId }: InferenceResult, { random, world }: Makes): Signed["signer"] {
  if (teeId === ZeroHash) return world.node;
  const enclaves = Object.values(world.enclaves);
  return enclaves.find((enclave) => enclave.teeId === teeId) ?? random.pick(enclaves);
}

const shown = (
  { header, leaf }: LeafEvidence,
  other: InferenceResult,
  makes: Makes,
  signer = signerOf(other, makes),
): Evidence => {
  const { signature } = TEE.seal({ result: other, signer }, makes);
  return { header, leaf, other, otherSignature: signature };
};

/** Another result of the leaf's, signed by its enclave. */
const changed =
  (change: (other: InferenceResult, makes: Makes) => Partial<InferenceResult>): Change =>
  (evidence, _, makes) =>
    shown(evidence, { ...evidence.other, ...change(evidence.other, makes) }, makes);

const bySession =
  (change: (other: InferenceResult, makes: Makes) => Partial<InferenceResult>): Change =>
  (evidence, _, makes) => {
    const signer = makes.random.pick(Object.values(makes.world.sessions));
    const other = { ...evidence.other, ...change(evidence.other, makes) };
    return shown(evidence, other, makes, signer);
  };

export const CONFLICT: Kind<Draft, Evidence> = {
  base: (makes) => {
    const { random, world } = makes;
    const claims = world.proposed.filter(({ header }) => header.kind === OPTIMISTIC);
    return claims.length > 0 && random.below(3) === 0 ? random.pick(claims) : LEAF.base(makes);
  },
  drafts: {},
  seal: (draft, makes) => {
    const evidence = LEAF.seal(draft, makes);
    const { result } = evidence.leaf;
    const outputHash = flipBit(result.outputHash, makes.random);
    return shown(evidence, { ...result, outputHash }, makes);
  },
  evidences: {
    asItIs: (evidence) => evidence,
    theSame: (evidence, _, makes) => shown(evidence, evidence.leaf.result, makes),
    ofAnotherRequest: changed(({ requestId }, { random }) => ({
      requestId: toBeHex(BigInt(requestId) ^ (1n << BigInt(random.below(96))), 32),
    })),
    ofAnotherEnclave: changed((_, { random, world }) => ({
      teeId: random.pick(Object.values(world.enclaves)).teeId,
    })),
    otherSignatureBit: (evidence, _, { random }) => ({
      ...evidence,
      otherSignature: flipBit(evidence.otherSignature, random),
    }),
    othersSigner: (evidence, _, makes) =>
      shown(
        evidence,
        evidence.other,
        makes,
        makes.random.pick(Object.values(makes.world.enclaves)),
      ),
    session: bySession(() => ({})),
    sessionAhead: bySession((_, { world }) => ({ timestamp: world.state.now + 1_000_000n })),
    sessionLongAgo: bySession(() => ({ timestamp: 1n })),
    longAgo: changed(() => ({ timestamp: 1n })),
    ahead: changed((_, { world }) => ({ timestamp: world.state.now + 1_000_000n })),
    ofAnotherVersion: changed((_, { random }) => ({
      modelVersion: flipBit(ZeroHash, random),
    })),
    leafIndexBit: ({ leaf, ...rest }, _, { random }) => ({
      ...rest,
      leaf: { ...leaf, index: leaf.index ^ (1 << random.below(8)) },
    }),
  },
  compare: async (_, { header, leaf, other, otherSignature }, { world }) => {
    const { pages, state } = world;
    const terms = termsOf(world, header);
    const siblings = [...leaf.siblings];
    const there = await ask(() =>
      pages.challengeConflict.staticCall(
        ...[header, { ...leaf, siblings }, other, otherSignature, ZeroAddress, ZeroHash, GAS],
      ),
    );
    const here = await judgeConflict({ header, leaf, other, otherSignature, terms, state });
    return {
      here: here === "ConflictingReceipt" ? ACCEPTED : here,
      there: there === SHOWN ? ACCEPTED : there,
    };
  },
};
