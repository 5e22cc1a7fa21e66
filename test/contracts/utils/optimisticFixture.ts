import { hashResult, hashWords, type InferenceResult } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { OPTIMISTIC, type PageHeader } from "@haca/protocol/pageSettlement";
import { encodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { id, Wallet, ZeroAddress, ZeroHash } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { now } from "./attestationFixture.ts";
import { makeTrapdoor, makeVerifyingKey } from "./groth16Simulator.ts";
import { type Content, DEPOSIT, deployPages, leafOf, makePage, type Page } from "./pageFixture.ts";
import { scalarsFrom } from "./randomScalars.ts";
import { prove, randomWords, SIGNAL_COUNT, versionParams } from "./settlementFixture.ts";

const INPUT_WORDS = 2;
/** A nonce of no page of the tests. */
const FIRST_NONCE = 1n << 40n;

/**
 * Optimistic pages beside those of enclaves: a node with a key of its own, who proposes; a version that can be proved, whose
 * trapdoor stands for the proving key; a settled proof of it, and its admission.
 */
export async function deployOptimistic(connection: NetworkConnection) {
  const pages = await deployPages(connection);
  const { ethers, models, governance: owner, token, networkHelpers } = pages;
  const trapdoor = makeTrapdoor({ signalCount: SIGNAL_COUNT, random: scalarsFrom("optimistic") });
  const modelId = computeModelId({ owner: owner.address, slug: "digits" });
  await models.connect(owner).registerModel("digits");
  const verifyingKey = makeVerifyingKey(trapdoor);
  for (const minor of [0, 1]) {
    const params = versionParams({ verifyingKey, overrides: { minor } });
    await models.connect(owner).publishVersion(modelId, params);
  }
  const node = new Wallet(id("node of optimistic pages"), ethers.provider);
  await networkHelpers.setBalance(node.address, 10n ** 20n);
  await token.approve(pages.pages, DEPOSIT);
  await pages.pages.deposit(node.address, DEPOSIT);
  const versionOf = (minor: number) => computeVersionId({ modelId, major: 1, minor });
  const f = {
    ...{ ...pages, node, trapdoor, proved: versionOf(0), unproved: versionOf(1) },
    signedVersion: pages.versionId,
  };
  await f.pages.admitVersion(await settleFirst(f, f.proved));
  await networkHelpers.time.increase(100);
  return f;
}
export type OptimisticFixture = Omit<
  Awaited<ReturnType<typeof deployOptimistic>>,
  "proved" | "unproved"
> & { proved: string; unproved: string };

/** A result of the node, what it was made of, and the node's signature. */
export type Answered = { result: InferenceResult; words: readonly bigint[]; signature: string };

/** Settles the first proof of a version, with a price, so that the settlement keeps which it was. */
export async function settleFirst(
  f: OptimisticFixture,
  modelVersion: string,
  nonce = FIRST_NONCE,
): Promise<InferenceResult> {
  const requestId = encodeRequestId({ node: f.node.address, nonce });
  const { result, words } = await answerAt(f, 0, { modelVersion, requestId, price: 1n });
  const proof = prove({ ...f, result, words });
  await f.settlement.connect(f.node).settleZkml(result, [...words], proof, "0x");
  return result;
}

/** What the node answered at a place of its page 0, a minute ago. */
export async function answerAt(
  f: OptimisticFixture,
  index: number,
  overrides: Partial<InferenceResult> = {},
  signer: Pick<Wallet, "signingKey"> = f.node,
): Promise<Answered> {
  const words = randomWords({ seed: `optimistic ${index}`, count: SIGNAL_COUNT - 1 });
  const result: InferenceResult = {
    modelVersion: f.proved,
    inputHash: hashWords(words.slice(0, INPUT_WORDS)),
    outputHash: hashWords(words.slice(INPUT_WORDS)),
    requester: ZeroAddress,
    requestId: encodeRequestId({ node: f.node.address, nonce: BigInt(index) }),
    price: 0n,
    timestamp: (await now(f)) - 60n,
    teeId: ZeroHash,
    ...overrides,
  };
  const digest = hashResult({ domain: f.domain, result });
  return { result, words, signature: signer.signingKey.sign(digest).serialized };
}

/** The page over what a node answered, as it would be proposed. */
export function optimisticPage(
  f: OptimisticFixture,
  content: Content,
  overrides: Partial<PageHeader> = {},
): Page {
  return makePage(f, content, {
    ...{ kind: OPTIMISTIC, teeId: ZeroHash, proposer: f.node.address },
    ledgerPage: ledgerPageOf({ node: f.node.address, index: 0n }),
    ...overrides,
  });
}

/** A page of answers at places; and what they were made of. */
export async function answeredPage(
  f: OptimisticFixture,
  places: readonly number[],
  overrides: Partial<PageHeader> = {},
): Promise<{ page: Page; answers: ReadonlyMap<number, Answered> }> {
  const answers = new Map<number, Answered>();
  for (const index of places) answers.set(index, await answerAt(f, index));
  return { page: optimisticPage(f, Object.fromEntries(answers), overrides), answers };
}

/** Leaf, words and proof, as `proveLeaf` takes them; the proof is the one of an honest prover who has these words. */
export function proofOf(
  f: OptimisticFixture,
  page: Page,
  index: number,
  words: readonly bigint[],
): readonly [PageHeader, ReturnType<typeof leafOf>, bigint[], string] {
  const leaf = leafOf(page, index);
  const proof = prove({ ...f, result: leaf.result, words });
  return [page.header, leaf, [...words], proof];
}
