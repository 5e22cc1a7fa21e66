import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { challengeCommitment, type PageHeader, pageIdOf } from "@haca/protocol/pageSettlement";
import { PROPOSAL_TYPES } from "@haca/protocol/proposal";
import { encodeRequestId, ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import {
  buildResultPage,
  EMPTY_LEAF,
  resultLeaf,
  resultPageProof,
  resultPageRoot,
} from "@haca/protocol/resultPage";
import { hexlify, id, parseEther, type Signer, Wallet, ZeroAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { now, wire } from "./attestationFixture.ts";
import { certifySession, deployEnclaveResults } from "./enclaveResults.ts";

export const HOUR = 3_600n;
export const DAY = 24n * HOUR;
export const TEE = 2n;
export const ALL = (1n << 256n) - 1n;
export const PARAMETERS = {
  longRoad: 3n * DAY,
  shortRoad: 6n * HOUR,
  resultWindow: 7n * DAY,
  minimumDeposit: parseEther("100"),
};
export const DEPOSIT = parseEther("1000");

/** A page of results as a test makes it: what stands in the tree, at which places. */
export type Page = {
  header: PageHeader;
  tree: ReturnType<typeof buildResultPage>;
  results: ReadonlyMap<number, { result: InferenceResult; signature: string }>;
};

/**
 * Pages beside the enclaves' results: a deposit of the operator, who proposes; a watcher who challenges; a session key that
 * signs results for 20 days. The enclave's results are signed by the session key, which is quick; `sign` is its own key's.
 */
export async function deployPages(connection: NetworkConnection) {
  const base = await deployEnclaveResults(connection);
  const { fixture: f, enclave, versionId, domain } = base;
  const { ethers, manager, settlement, governance, operator, attacker, administrator } = f;
  const token = await ethers.deployContract("OPG", [administrator, f.guardian]);
  const pages = await ethers.deployContract("PageSettlement", [
    ...([await manager.getAddress(), await settlement.getAddress()] as const),
    ...([await token.getAddress(), DAY, PARAMETERS] as const),
  ]);
  await wire(manager, "PageSettlement", pages);
  await settlement.connect(governance).setLedgerWriter(pages, true);
  for (const { address } of [operator, attacker]) {
    await token.approve(pages, DEPOSIT);
    await pages.deposit(address, DEPOSIT);
  }
  const until = (await now(f)) + 20n * DAY;
  const session = await certifySession({ fixture: f, enclave, until });
  // Old enough for results of a minute ago.
  await f.networkHelpers.time.increase(10 * 60);
  return { ...base, ...f, token, pages, session, watcher: attacker, domain, versionId };
}
export type PageFixture = Awaited<ReturnType<typeof deployPages>>;

/** A result of the enclave for a place in its page 0, a minute old. */
export async function makeResult(
  f: PageFixture,
  index: number,
  overrides: Partial<InferenceResult> = {},
): Promise<InferenceResult> {
  return {
    modelVersion: f.versionId,
    inputHash: id("question"),
    outputHash: id(`answer ${index}`),
    requester: ZeroAddress,
    requestId: encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: BigInt(index) }),
    price: 0n,
    timestamp: (await now(f)) - 60n,
    teeId: f.enclave.teeId,
    ...overrides,
  };
}

export const sign = (
  f: PageFixture,
  result: InferenceResult,
  by: Wallet | SimulatedEnclave = f.session,
) => {
  const digest = hashResult({ domain: f.domain, result });
  return by instanceof Wallet ? by.signingKey.sign(digest).serialized : hexlify(by.sign(digest));
};

/** What a page consists of: signed results at places; `EMPTY` where a bit is set and no result is there. */
export type Content = Record<number, { result: InferenceResult; signature: string } | "EMPTY">;

/** Good results at places, signed by the session key. */
export async function goodResults(f: PageFixture, places: readonly number[]): Promise<Content> {
  const content: Content = {};
  for (const index of places) {
    const result = await makeResult(f, index);
    content[index] = { result, signature: sign(f, result) };
  }
  return content;
}

/** A result of the enclave's for a place, with a signature that nobody made. */
export async function unsigned(f: PageFixture, index: number): Promise<Content> {
  return { [index]: { result: await makeResult(f, index), signature: "0x" } };
}

/** The page over a content, as it would be proposed. */
export function makePage(
  f: PageFixture,
  content: Content,
  overrides: Partial<PageHeader> = {},
): Page {
  const results = new Map(
    Object.entries(content).flatMap(([index, leaf]) =>
      leaf === "EMPTY" ? [] : [[Number(index), leaf] as const],
    ),
  );
  const leaves = new Map(
    [...results].map(([index, { result, signature }]) => [
      index,
      resultLeaf({ digest: hashResult({ domain: f.domain, result }), signature }),
    ]),
  );
  const tree = buildResultPage(leaves);
  const bitmap = Object.keys(content).reduce((bits, index) => bits | (1n << BigInt(index)), 0n);
  const header: PageHeader = {
    kind: TEE,
    teeId: f.enclave.teeId,
    ledgerPage: ledgerPageOf({ node: nodeOfEnclave(f.enclave.teeId), index: 0n }),
    bitmap,
    root: resultPageRoot(tree),
    blobId: id("blob"),
    proposer: f.operator.address,
    fee: 0n,
    ...overrides,
  };
  return { header, tree, results };
}

/** A leaf with its way to the root; of a place without a result, what shows that it is empty. */
export function leafOf({ tree, results }: Page, index: number) {
  const any = [...results.values()][0];
  const { result, signature } = results.get(index) ?? any ?? {};
  if (result === undefined || signature === undefined) throw new Error("a page without results");
  return { index, result, signature, siblings: resultPageProof({ tree, index }) };
}

export const NO_DEADLINE = 0n;

/** What `proposePage` takes. */
export const proposalOf = ({ header }: Page, deadline = NO_DEADLINE) => {
  const { proposer, ...rest } = header;
  return { ...rest, deadline };
};

/** Proposes a page as its proposer. */
export async function propose(
  f: PageFixture,
  page: Page,
  by: Signer = f.operator,
  signed?: { signature: string; deadline: bigint },
) {
  const proposal = proposalOf(page, signed?.deadline);
  return f.pages.connect(by).proposePage(proposal, signed?.signature ?? "0x");
}

/** The operator's consent to a page that somebody else proposes. */
export const consent = (
  f: PageFixture,
  { header }: Page,
  deadline: bigint,
  signer: Pick<Wallet, "signTypedData"> = f.operator as unknown as Wallet,
): Promise<string> => {
  const { kind, ledgerPage: page, bitmap, root, blobId } = header;
  return signer.signTypedData(f.domain, PROPOSAL_TYPES, {
    ...{ kind, page, bitmap, root, blobId, deadline },
  });
};

export async function idOf(f: PageFixture, { header }: Page): Promise<string> {
  return pageIdOf({ chainId: f.chainId, pageSettlement: await f.pages.getAddress(), header });
}

/** A commitment of the watcher's to a challenge of a leaf, and the salt that it needs. */
export async function commit(
  f: PageFixture,
  page: Page,
  index: number,
  otherLeafHash?: string,
  challenger = f.watcher.address,
): Promise<string> {
  const signed = page.results.get(index);
  const leafHash =
    signed === undefined
      ? EMPTY_LEAF
      : resultLeaf({
          digest: hashResult({ domain: f.domain, result: signed.result }),
          signature: signed.signature,
        });
  const salt = id("salt");
  const commitment = challengeCommitment({
    ...{ pageId: await idOf(f, page), index, leafHash, challenger, salt },
    ...(otherLeafHash === undefined ? {} : { otherLeafHash }),
  });
  await f.pages.connect(f.watcher).commitChallenge(commitment);
  return salt;
}

/** Commits to a challenge and makes it. */
export async function challenge(f: PageFixture, page: Page, index: number) {
  const salt = await commit(f, page, index);
  const { header } = page;
  return f.pages.connect(f.watcher).challenge(header, leafOf(page, index), f.watcher.address, salt);
}
