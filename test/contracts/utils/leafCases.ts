import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import {
  PAGE_REASONS,
  type PageHeader,
  type PageLeaf,
  pageIdOf,
} from "@haca/protocol/pageSettlement";
import { ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import {
  buildResultPage,
  resultLeaf,
  resultPageProof,
  resultPageRoot,
} from "@haca/protocol/resultPage";
import { judgeLeaf } from "@haca/protocol/verdicts/judgeLeaf";
import { ACCEPTED } from "@haca/protocol/verdicts/verdict";
import { id, toBeHex } from "ethers";
import { flipBit } from "./byteMutations.ts";
import { type Signed, TEE } from "./signedCases.ts";
import { GAS } from "./transactionGas.ts";
import { baseResult, type Kind, type Makes, RESULT_CHANGES } from "./verdictCases.ts";
import { ask, type Proposed, type World } from "./verdictWorld.ts";

/** A leaf to be judged: of a page that was proposed, or a result in a page of its own. */
type OwnPage = { signed: Signed; signature?: string; ledgerPage: bigint; index: number };
type Draft = Proposed | OwnPage;
type Evidence = { header: PageHeader; leaf: PageLeaf };

const TEE_KIND = 2n;
/** Changes of a result after which it is one of another request; after all others it has the one of its place. */
const OF_OTHER_REQUESTS = [
  ...["requestIdBit", "nonceBit", "ofAnEnclavesNode", "takenRequest", "noEnclave"],
];
/** Changes of the enclave that the page does not follow. */
const OF_OTHER_ENCLAVES = [...OF_OTHER_REQUESTS, "teeIdBit", "ofAnotherEnclave"];

const isProposed = (draft: Draft): draft is Proposed => "leaves" in draft;

const ledgerPageOfEnclave = (teeId: string, index: bigint): bigint =>
  ledgerPageOf({ node: nodeOfEnclave(teeId), index });

/** A good result in a page of its own. */
function ownPage(makes: Makes): OwnPage {
  const { random } = makes;
  const signed = TEE.base(makes);
  const index = random.below(256);
  const ledgerPage = ledgerPageOfEnclave(signed.result.teeId, BigInt(random.below(1 << 16)));
  const requestId = toBeHex((ledgerPage << 8n) | BigInt(index), 32);
  return {
    signed: { ...signed, result: { ...signed.result, requestId } },
    ...{ ledgerPage, index },
  };
}

/** Each change of a result of an enclave, as one of a result in a page. */
const resultDrafts: Kind<Draft, Evidence>["drafts"] = Object.fromEntries(
  Object.entries(TEE.drafts).map(([name, change]) => [
    name,
    (draft: Draft, makes: Makes): Draft => {
      const own = isProposed(draft) ? ownPage(makes) : draft;
      const signed = change(own.signed, makes);
      const { teeId } = signed.result;
      const ledgerPage = OF_OTHER_ENCLAVES.includes(name)
        ? own.ledgerPage
        : ledgerPageOfEnclave(teeId, own.ledgerPage & 0xffffn);
      const requestId = toBeHex((ledgerPage << 8n) | BigInt(own.index), 32);
      const result = OF_OTHER_REQUESTS.includes(name)
        ? signed.result
        : { ...signed.result, requestId };
      return { ...own, ledgerPage, signed: { ...signed, result } };
    },
  ]),
);

/** Each change of a signature, before it is in the tree. */
const signatureDrafts: Kind<Draft, Evidence>["drafts"] = Object.fromEntries(
  Object.entries(TEE.evidences).map(([name, change]) => [
    `signed ${name}`,
    (draft: Draft, makes: Makes): Draft => {
      const own = isProposed(draft) ? ownPage(makes) : draft;
      const { signed } = own;
      const { signature } = change(TEE.seal(signed, makes), signed, makes);
      return { ...own, signature };
    },
  ]),
);

const headerOf = (
  world: World,
  parameters: { teeId: string; ledgerPage: bigint; bitmap: bigint; root: string },
): PageHeader => ({
  ...{ kind: TEE_KIND, blobId: id("blob"), proposer: world.f.operator.address, fee: 0n },
  ...parameters,
});

const leafHash = ({ state }: World, result: InferenceResult, signature: string): string =>
  resultLeaf({ digest: hashResult({ domain: state.domain, result }), signature });

const changeLeaf =
  (
    change: (leaf: PageLeaf, makes: Makes) => Partial<PageLeaf>,
  ): Kind<Draft, Evidence>["evidences"][string] =>
  ({ header, leaf }, _, makes) => ({ header, leaf: { ...leaf, ...change(leaf, makes) } });

const changeHeader =
  (
    change: (header: PageHeader, makes: Makes, leaf: PageLeaf) => Partial<PageHeader>,
  ): Kind<Draft, Evidence>["evidences"][string] =>
  ({ header, leaf }, _, makes) => ({ header: { ...header, ...change(header, makes, leaf) }, leaf });

const changeSibling = (change: (sibling: string, makes: Makes) => string) =>
  changeLeaf(({ siblings }, makes) => {
    const place = makes.random.below(siblings.length);
    return { siblings: siblings.map((one, i) => (i === place ? change(one, makes) : one)) };
  });

export const LEAF: Kind<Draft, Evidence> = {
  base: (makes) => {
    const { world, random } = makes;
    const proposed = world.proposed.filter(({ header }) => header.kind === TEE_KIND);
    return proposed.length > 0 && random.below(3) > 0 ? random.pick(proposed) : ownPage(makes);
  },
  drafts: { ...resultDrafts, ...signatureDrafts },
  seal: (draft, makes) => {
    const { world, random } = makes;
    if (isProposed(draft)) {
      return { header: draft.header, leaf: random.pick(draft.leaves) };
    }
    const { signed, index, ledgerPage } = draft;
    const { result } = signed;
    const { signature = TEE.seal(signed, makes).signature } = draft;
    const tree = buildResultPage(new Map([[index, leafHash(world, result, signature)]]));
    const nodesPage = [...world.state.enclaves.keys()].find(
      (teeId) => ledgerPageOfEnclave(teeId, ledgerPage & 0xffffn) === ledgerPage,
    );
    return {
      header: headerOf(world, {
        teeId: nodesPage ?? result.teeId,
        ledgerPage,
        bitmap: 1n << BigInt(index),
        root: resultPageRoot(tree),
      }),
      leaf: { index, result, signature, siblings: resultPageProof({ tree, index }) },
    };
  },
  evidences: {
    asItIs: (evidence) => evidence,
    siblingBit: changeSibling((sibling, { random }) => flipBit(sibling, random)),
    siblingZero: changeSibling(() => toBeHex(0n, 32)),
    indexBit: changeLeaf(({ index }, { random }) => ({ index: index ^ (1 << random.below(8)) })),
    leafSignatureBit: changeLeaf(({ signature }, { random }) => ({
      signature: flipBit(signature, random),
    })),
    leafResult: changeLeaf(({ result }, makes) => ({
      result: { ...result, ...makes.random.pick(Object.values(RESULT_CHANGES))(result, makes) },
    })),
    rootBit: changeHeader(({ root }, { random }) => ({ root: flipBit(root, random) })),
    headerTeeIdBit: changeHeader(({ teeId }, { random }) => ({ teeId: flipBit(teeId, random) })),
    headerOfAnother: changeHeader((_, { world, random }) => ({
      teeId: random.pick(Object.values(world.enclaves)).teeId,
    })),
    headerPage: changeHeader(({ ledgerPage }) => ({ ledgerPage: ledgerPage ^ 1n })),
    headerFee: changeHeader(() => ({ fee: 1n })),
    bitCleared: changeHeader(({ bitmap }, _, { index }) => ({
      bitmap: bitmap & ~(1n << BigInt(index)),
    })),
    everyBit: changeHeader(() => ({ bitmap: (1n << 256n) - 1n })),
    emptyPlace: (evidence, _, { random }) => {
      const index = evidence.leaf.index ^ (1 << random.below(8));
      const tree = buildResultPage(new Map([[evidence.leaf.index, id("leaf")]]));
      return {
        header: { ...evidence.header, root: resultPageRoot(tree), bitmap: 1n << BigInt(index) },
        leaf: { ...evidence.leaf, index, siblings: resultPageProof({ tree, index }) },
      };
    },
  },
  compare: async (_, { header, leaf }, { world }) => {
    const { state, pages, pageSettlement } = world;
    const { chainId } = world.f;
    const pageId = pageIdOf({ chainId, pageSettlement, header });
    const known = world.proposed.find(
      (page) => pageIdOf({ chainId, pageSettlement, header: page.header }) === pageId,
    );
    const { resultWindow } = world;
    const unproposed = { proposedAt: state.now, isProposed: false, resultWindow };
    const terms = known?.terms ?? unproposed;
    let reason = 0;
    const there = await ask(async () => {
      reason = Number(
        await pages.judgeLeaf(header, { ...leaf, siblings: [...leaf.siblings] }, GAS),
      );
    });
    return {
      here: await judgeLeaf({ header, leaf, terms, state }),
      there: there === ACCEPTED && reason !== 0 ? (PAGE_REASONS[reason] ?? "unknown") : there,
    };
  },
};

/** How many leaves at the beginning of each page are as far ahead of its proposal as they may be. */
export const LEAVES_AHEAD = 3;

/** Proposes a page of every enclave as of now, with leaves of all kinds. */
export async function proposePages(makes: Makes, size: number): Promise<Proposed[]> {
  const pages: Proposed[] = [];
  for (const enclave of Object.values(makes.world.enclaves)) {
    pages.push(await proposePage({ makes, enclave, size }));
  }
  return pages;
}

async function proposePage(parameters: {
  makes: Makes;
  enclave: SimulatedEnclave;
  size: number;
}): Promise<Proposed> {
  const { makes, enclave, size } = parameters;
  const { world } = makes;
  const { f, state, proposed } = world;
  const { teeId } = enclave;
  const ledgerPage = ledgerPageOfEnclave(teeId, (1n << 80n) + BigInt(proposed.length));
  const time = BigInt(await f.networkHelpers.time.latest());
  const signed = [...signedAhead(makes, enclave, time), ...signedAnyhow(makes, size)];
  const leaves = signed.map(({ result: made, signer }, i) => {
    const index = i * 3;
    const result = { ...made, requestId: toBeHex((ledgerPage << 8n) | BigInt(index), 32) };
    const { signature } = TEE.seal({ result, signer }, makes);
    return { index, result, signature };
  });
  const hashes = leaves.map(({ index, result, signature }) => {
    return [index, leafHash(world, result, signature)] as const;
  });
  const tree = buildResultPage(new Map(hashes));
  const bitmap = leaves.reduce((bits, { index }) => bits | (1n << BigInt(index)), 0n);
  const header = headerOf(world, { teeId, ledgerPage, bitmap, root: resultPageRoot(tree) });
  const { proposer, ...proposal } = header;
  await world.pages.connect(f.operator).proposePage({ ...proposal, deadline: 0n }, "0x");
  state.occupied.set(ledgerPage, bitmap);
  const proposedAt = BigInt(await f.networkHelpers.time.latest());
  const page = {
    header,
    leaves: leaves.map((leaf) => ({
      ...leaf,
      siblings: resultPageProof({ tree, index: leaf.index }),
    })),
    terms: { proposedAt, isProposed: true, resultWindow: world.resultWindow },
  };
  proposed.push(page);
  return page;
}

/** Good results that are dated after what may happen next, but count as of the proposal. */
function signedAhead(makes: Makes, enclave: SimulatedEnclave, time: bigint): Signed[] {
  const { world } = makes;
  const { versions, sessions, enclaves } = world;
  const of = (modelVersion: string, signer: Signed["signer"]): Signed => ({
    result: baseResult(makes, { modelVersion, teeId: enclave.teeId, timestamp: time + 60n }),
    signer,
  });
  const session = enclave === enclaves.rsa ? sessions.ended : enclave;
  return [
    of(versions.signed, enclave),
    of(versions.signedOnce, enclave),
    of(versions.signed, session),
  ];
}

const signedAnyhow = (makes: Makes, size: number): Signed[] =>
  Array.from({ length: size }, () => {
    const change = makes.random.pick(Object.values(TEE.drafts));
    return change(TEE.base(makes), makes);
  });
