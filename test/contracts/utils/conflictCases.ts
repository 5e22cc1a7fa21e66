import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { OPTIMISTIC, type PageHeader, type PageLeaf } from "@haca/protocol/pageSettlement";
import { judgeConflict } from "@haca/protocol/verdicts/judgeConflict";
import { hexlify, id, Wallet, ZeroAddress, ZeroHash } from "ethers";
import { ECDSA_MUTATIONS, flipBit } from "./byteMutations.ts";
import { LEAVES_AHEAD } from "./leafCases.ts";
import { GAS } from "./transactionGas.ts";
import { type Kind, type Makes, RESULT_CHANGES } from "./verdictCases.ts";
import { ask, type Proposed, type World } from "./verdictWorld.ts";

/** A leaf of a page that was proposed, and what somebody signed besides it. */
type Draft = {
  page: Proposed;
  leaf: PageLeaf;
  other: InferenceResult;
  signer: SimulatedEnclave | Wallet;
};
type Evidence = { header: PageHeader; leaf: PageLeaf; signature: string };

/** The contract looks for the commitment last: there is none, so that all else is as it must be. */
const SHOWN = "PageSettlement_CommitmentInvalid";

const ownerOf = ({ header }: Proposed, { enclaves, node }: World): SimulatedEnclave | Wallet =>
  header.kind === OPTIMISTIC
    ? node
    : (Object.values(enclaves).find(({ teeId }) => teeId === header.teeId) ?? node);

/** Of the first ones, which are good unless something has happened to what they name; or any, which rarely is. */
const pickLeaf = ({ leaves }: Proposed, { random }: Makes): PageLeaf =>
  random.pick(random.below(4) > 0 ? leaves.slice(0, LEAVES_AHEAD) : leaves);

const changeOther =
  (change: (draft: Draft, makes: Makes) => Partial<InferenceResult>) =>
  (draft: Draft, makes: Makes): Draft => ({
    ...draft,
    other: { ...draft.other, ...change(draft, makes) },
  });

const signedBy =
  (signerOf: (makes: Makes) => Draft["signer"]) =>
  (draft: Draft, makes: Makes): Draft => ({ ...draft, signer: signerOf(makes) });

/** The page of the enclave that has sessions, so that they could have signed. */
function ofSessions(draft: Draft, makes: Makes): Draft {
  const { random, world } = makes;
  const { teeId } = world.enclaves.rsa;
  const pages = world.proposed.filter(({ header }) => header.teeId === teeId);
  if (pages.length === 0) return draft;
  const page = random.pick(pages);
  const leaf = pickLeaf(page, makes);
  return { ...draft, page, leaf, other: { ...leaf.result, outputHash: id("other") } };
}

export const CONFLICT: Kind<Draft, Evidence> = {
  base: (makes) => {
    const { random, world } = makes;
    const page = random.pick(world.proposed.slice(-10));
    const leaf = pickLeaf(page, makes);
    const other = { ...leaf.result, outputHash: id("other") };
    return { page, leaf, other, signer: ownerOf(page, world) };
  },
  drafts: {
    theSame: changeOther(({ leaf }) => leaf.result),
    ...Object.fromEntries(
      Object.entries(RESULT_CHANGES).map(([name, change]) => [
        name,
        changeOther(({ other }, makes) => change(other, makes)),
      ]),
    ),
    ofAnotherLeaf: changeOther(({ page }, { random }) => random.pick(page.leaves).result),
    noEnclave: changeOther(() => ({ teeId: ZeroHash })),
    /** Signed for a time at which the key has ended; it counts as of now. */
    "session fleeting, ahead": (draft, makes) => {
      const of = ofSessions(draft, makes);
      const { sessions } = makes.world;
      const timestamp = makes.world.state.now + 60n;
      return { ...of, signer: sessions.fleeting, other: { ...of.other, timestamp } };
    },
    byAStranger: signedBy(() => new Wallet(id("stranger"))),
    byTheNode: signedBy(({ world }) => world.node),
    byAnEnclave: signedBy(({ random, world }) => random.pick(Object.values(world.enclaves))),
    ...Object.fromEntries(
      (["live", "short", "ended", "heartbeats", "fleeting"] as const).flatMap((name) => [
        [
          `session ${name}`,
          (draft: Draft, makes: Makes) => ({
            ...ofSessions(draft, makes),
            signer: makes.world.sessions[name],
          }),
        ],
        [
          `session ${name} at a moment`,
          (draft: Draft, makes: Makes) => {
            const of = ofSessions(draft, makes);
            const { random, world } = makes;
            const timestamp = random.pick(world.moments) + BigInt(random.below(3) - 1);
            const signer = world.sessions[name];
            return { ...of, signer, other: { ...of.other, timestamp } };
          },
        ],
      ]),
    ),
  },
  seal: ({ leaf, other, page, signer }, { world }) => {
    const digest = hashResult({ domain: world.state.domain, result: other });
    const signature =
      signer instanceof Wallet
        ? signer.signingKey.sign(digest).serialized
        : hexlify(signer.sign(digest));
    return { header: page.header, leaf, signature };
  },
  evidences: {
    asItIs: (evidence) => evidence,
    ...Object.fromEntries(
      Object.entries(ECDSA_MUTATIONS).map(([name, change]) => [
        `signed ${name}`,
        (evidence: Evidence, _: Draft, { random }: Makes): Evidence => ({
          ...evidence,
          signature: change(evidence.signature, random),
        }),
      ]),
    ),
    leafSignatureBit: ({ leaf, ...rest }, _, { random }) => ({
      ...rest,
      leaf: { ...leaf, signature: flipBit(leaf.signature, random) },
    }),
    bitCleared: ({ header, ...rest }) => ({
      ...rest,
      header: { ...header, bitmap: header.bitmap & ~(1n << BigInt(rest.leaf.index)) },
    }),
  },
  compare: async ({ other, page }, { header, leaf, signature }, { world }) => {
    const { pages, resultWindow, state } = world;
    // Of another header there is no page.
    const unproposed = { proposedAt: state.now, isProposed: false, resultWindow };
    const terms = header === page.header ? page.terms : unproposed;
    const second = { result: other, signature };
    const here = await judgeConflict({ header, leaf, other: second, terms, now: state.now, state });
    const shown = { ...leaf, siblings: [...leaf.siblings] };
    const evidence = [header, shown, other, signature, ZeroAddress, id("salt")] as const;
    const there = await ask(() => pages.challengeConflict.staticCall(...evidence, GAS));
    return { here, there: there === SHOWN ? "ConflictingReceipt" : there };
  },
};
