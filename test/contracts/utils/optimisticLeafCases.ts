import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { OPTIMISTIC, type PageHeader, type PageLeaf } from "@haca/protocol/pageSettlement";
import { PROPOSAL_TYPES } from "@haca/protocol/proposal";
import { ledgerPageOf } from "@haca/protocol/requestId";
import {
  buildResultPage,
  resultLeaf,
  resultPageProof,
  resultPageRoot,
} from "@haca/protocol/resultPage";
import { id, toBeHex, Wallet, ZeroHash } from "ethers";
import { ECDSA_MUTATIONS } from "./byteMutations.ts";
import { LEAF } from "./leafCases.ts";
import { baseResult, type Kind, type Makes, RESULT_CHANGES } from "./verdictCases.ts";
import { type Proposed, take, type World } from "./verdictWorld.ts";
import { baseProved, proveIn } from "./zkmlCases.ts";

/** A result of the world's node at a place of a ledger page, or a leaf of a page that was proposed. */
type Own = {
  result: InferenceResult;
  ledgerPage: bigint;
  index: number;
  signer: Wallet;
  change?: keyof typeof ECDSA_MUTATIONS;
};
type Draft = Proposed | Own;
type Evidence = { header: PageHeader; leaf: PageLeaf };

/** Changes after which the result is of another request than that of its place. */
const OF_OTHER_REQUESTS = ["requestIdBit", "nonceBit", "ofAnEnclavesNode"];

const isProposed = (draft: Draft): draft is Proposed => "leaves" in draft;
const requestAt = (ledgerPage: bigint, index: number): string =>
  toBeHex((ledgerPage << 8n) | BigInt(index), 32);
const pageOfNode = (node: string, makes: Makes): bigint =>
  ledgerPageOf({ node, index: BigInt(makes.random.below(1 << 16)) });

/** A good result, half a minute old. */
function ownLeaf(makes: Makes): Own {
  const { random, world } = makes;
  const [ledgerPage, index] = [pageOfNode(world.node.address, makes), random.below(256)];
  const timestamp = world.state.now - 30n;
  const requestId = requestAt(ledgerPage, index);
  const result = baseResult(makes, { timestamp, requestId });
  return { result, ledgerPage, index, signer: world.node };
}

const draftOf =
  (change: (own: Own, makes: Makes) => Partial<Own>): Kind<Draft, Evidence>["drafts"][string] =>
  (draft, makes) => {
    const own = isProposed(draft) ? ownLeaf(makes) : draft;
    return { ...own, ...change(own, makes) };
  };

const resultDrafts = Object.fromEntries(
  Object.entries(RESULT_CHANGES).map(([name, change]) => [
    name,
    draftOf(({ result, ledgerPage, index }, makes) => {
      const changed = { ...result, ...change(result, makes) };
      const requestId = requestAt(ledgerPage, index);
      return { result: OF_OTHER_REQUESTS.includes(name) ? changed : { ...changed, requestId } };
    }),
  ]),
);

const timeDrafts = Object.fromEntries(
  [-2n, -1n, 0n, 1n].map((seconds) => [
    `${seconds} s from now`,
    draftOf(({ result }, { world }) => ({
      result: { ...result, timestamp: world.state.now + seconds },
    })),
  ]),
);

const signatureDrafts = Object.fromEntries(
  Object.keys(ECDSA_MUTATIONS).map((name) => [
    `signed ${name}`,
    draftOf(() => ({ change: name as keyof typeof ECDSA_MUTATIONS })),
  ]),
);

/** Leaves of optimistic pages. */
export const OPTIMISTIC_LEAF: Kind<Draft, Evidence> = {
  base: (makes) => {
    const { world, random } = makes;
    const proposed = world.proposed.filter(({ header }) => header.kind === OPTIMISTIC);
    return proposed.length > 0 && random.below(3) > 0 ? random.pick(proposed) : ownLeaf(makes);
  },
  drafts: {
    ...resultDrafts,
    ...timeDrafts,
    ...signatureDrafts,
    byAStranger: draftOf(() => ({ signer: new Wallet(id("stranger")) })),
    notAdmitted: draftOf(({ result }, { world }) => ({
      result: { ...result, modelVersion: world.versions.notAdmitted },
    })),
    /** The node owns that contract, and it takes the node's signature for its own. */
    ofAContract: draftOf(({ result, index }, makes) => {
      const ledgerPage = pageOfNode(String(makes.world.wallet.target), makes);
      return { ledgerPage, result: { ...result, requestId: requestAt(ledgerPage, index) } };
    }),
  },
  seal: (draft, makes) => {
    const { random, world } = makes;
    if (isProposed(draft)) return { header: draft.header, leaf: random.pick(draft.leaves) };
    const { index, ledgerPage, result } = draft;
    const signature = signatureOf(draft, makes);
    const tree = treeOf(world, [{ index, result, signature }]);
    return {
      header: headerOf(world, { ledgerPage, bitmap: 1n << BigInt(index), tree }),
      leaf: { index, result, signature, siblings: resultPageProof({ tree, index }) },
    };
  },
  evidences: LEAF.evidences as Kind<Draft, Evidence>["evidences"],
  compare: (_, evidence, makes) => LEAF.compare({} as never, evidence, makes),
};

function signatureOf({ change, result, signer }: Own, { random, world }: Makes): string {
  const digest = hashResult({ domain: world.state.domain, result });
  const { serialized } = signer.signingKey.sign(digest);
  return change === undefined ? serialized : (ECDSA_MUTATIONS[change]?.(serialized, random) ?? "");
}

type Placed = Pick<PageLeaf, "index" | "result" | "signature">;

const treeOf = ({ state }: World, leaves: readonly Placed[]) =>
  buildResultPage(
    new Map(
      leaves.map(({ index, result, signature }) => [
        index,
        resultLeaf({ digest: hashResult({ domain: state.domain, result }), signature }),
      ]),
    ),
  );

const headerOf = (
  { f }: World,
  parameters: { ledgerPage: bigint; bitmap: bigint; tree: ReturnType<typeof buildResultPage> },
): PageHeader => {
  const { bitmap, ledgerPage, tree } = parameters;
  return {
    ...{ kind: OPTIMISTIC, teeId: ZeroHash, ledgerPage, bitmap, root: resultPageRoot(tree) },
    ...{ blobId: id("blob"), proposer: f.operator.address, fee: 0n },
  };
};

/** Proposes a page of the node's, with leaves of all kinds, by its signature. */
export async function proposeOptimisticPage(makes: Makes, size: number): Promise<void> {
  const { random, world } = makes;
  const { f, node, pages, proposed, state } = world;
  const ledgerPage = ledgerPageOf({
    node: node.address,
    index: (1n << 80n) + BigInt(proposed.length),
  });
  const time = BigInt(await f.networkHelpers.time.latest());
  const changes = Object.values(OPTIMISTIC_LEAF.drafts);
  const leaves = Array.from({ length: size }, (_, i) => {
    const index = 3 * i;
    const own = { ...ownLeaf(makes), ledgerPage, index };
    // The first are of the last seconds before it, and of versions that things happen to.
    const [soon, version] = [
      time - BigInt(i % 2),
      i % 4 < 2 ? "provedOnce" : "notAdmitted",
    ] as const;
    const first = { ...own.result, timestamp: soon, modelVersion: world.versions[version] };
    const requestId = requestAt(ledgerPage, index);
    const plain = { ...own, result: { ...(i < 4 ? first : own.result), requestId } };
    const draft = (i < 4 ? plain : (random.pick(changes)(plain, makes) as Own)) satisfies Own;
    return { index, result: draft.result, signature: signatureOf(draft, makes) };
  });
  const tree = treeOf(world, leaves);
  const bitmap = leaves.reduce((bits, { index }) => bits | (1n << BigInt(index)), 0n);
  const header = headerOf(world, { ledgerPage, bitmap, tree });
  const { proposer, ...proposal } = header;
  const deadline = time + 1_000n;
  const { root, blobId } = header;
  const signature = await node.signTypedData(state.domain, PROPOSAL_TYPES, {
    ...{ kind: OPTIMISTIC, page: ledgerPage, bitmap, root, blobId, deadline },
  });
  await pages.connect(f.operator).proposePage({ ...proposal, deadline }, signature);
  state.occupied.set(ledgerPage, bitmap);
  const proposedAt = BigInt(await f.networkHelpers.time.latest());
  proposed.push({
    header,
    leaves: leaves.map((leaf) => ({
      ...leaf,
      siblings: resultPageProof({ tree, index: leaf.index }),
    })),
    terms: { proposedAt, isProposed: true, resultWindow: world.resultWindow },
  });
}

/** Opens a version to optimistic pages, by a result of it that is settled for that. */
export async function admitIn(makes: Makes, modelVersion: string): Promise<void> {
  const { world } = makes;
  const { f, node, pages, settlement, state, taken } = world;
  const { result, words } = baseProved(makes);
  const timestamp = BigInt(await f.networkHelpers.time.latest());
  const priced = { ...result, price: 1n, modelVersion, timestamp };
  const digest = hashResult({ domain: state.domain, result: priced });
  const { serialized } = node.signingKey.sign(digest);
  const proof = proveIn(world, { result: priced, words });
  await settlement.connect(f.attacker).settleZkml(priced, [...words], proof, serialized);
  taken.proved.push(priced.requestId);
  take(state.occupied, priced.requestId);
  await pages.admitVersion(priced);
  const admittedAt = BigInt(await f.networkHelpers.time.latest());
  const known = state.versions.get(modelVersion);
  if (known !== undefined) state.versions.set(modelVersion, { ...known, admittedAt });
}
