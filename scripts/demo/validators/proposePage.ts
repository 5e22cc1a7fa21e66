import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { putAndReadBack } from "@haca/protocol/blobs/blobStore";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import {
  type CheckedPage,
  checkPage,
  encodePageBlob,
  MAXIMUM_PAGE_BYTES,
  type PageResult,
} from "@haca/protocol/blobs/pageBlob";
import { type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { headerOfProposal, type PageHeader } from "@haca/protocol/pageSettlement";
import { PROPOSAL_TYPES } from "@haca/protocol/proposal";
import { decodeRequestId, placeInLedger } from "@haca/protocol/requestId";
import { placeOfNonce } from "@haca/protocol/resultPage";
import type { Wallet } from "ethers";
import { CHAIN_ID } from "../localChain.ts";
import { storyContracts } from "./storyContracts.ts";

/** A result with its node's signature, and the words of an optimistic one. */
export type Answer = { result: InferenceResult; signature: string; words?: string };

/** A page on the chain. */
export type Proposed = { pageId: string; header: PageHeader; content: CheckedPage; gas: bigint };

/** Stores answers of one ledger page as a blob and proposes them, with the node's or the operator's signature. */
export async function proposePage(parameters: {
  blobsUrl: string;
  kind: 2 | 3;
  /** whose deposit answers for the page */
  proposer: Wallet;
  /** who has a say in whether the results are proposed: the enclave's operator, or the node */
  operator: Wallet;
  answers: readonly Answer[];
  /** smallest units of OPG for validators */
  fee: bigint;
}): Promise<Proposed> {
  const { answers, blobsUrl, fee, kind, operator, proposer } = parameters;
  const { pages, settlement } = storyContracts(proposer);
  const domain = settlementDomain({
    chainId: BigInt(CHAIN_ID),
    settlement: await settlement.getAddress(),
  });
  const [first] = answers;
  if (first === undefined) throw new RangeError("a page has one answer at least");
  const { node, nonce } = decodeRequestId(first.result.requestId);
  const results: PageResult[] = answers.map(({ result, signature, words }) => {
    const { requestId, ...rest } = result;
    const { index } = placeOfNonce(decodeRequestId(requestId).nonce);
    return { ...rest, index, signature, ...(words === undefined ? {} : { words }) };
  });
  const page = checkPage({ page: { node, page: placeOfNonce(nonce).page, results }, domain });
  const store = createHttpBlobStore({
    ...{ publisher: `${blobsUrl}/v1/blobs`, aggregator: blobsUrl, ids: "sha256" },
    ...{ epochs: 1, timeoutMs: 30_000, maximumBytes: MAXIMUM_PAGE_BYTES },
  });
  const { id } = await putAndReadBack({ store, bytes: encodePageBlob(page) });
  const proposal = {
    ...{ kind, teeId: first.result.teeId, ledgerPage: placeInLedger(first.result.requestId).page },
    ...{ bitmap: page.bitmap, root: page.root, blobId: blobIdToWord(id), fee },
    deadline: 2n ** 64n - 1n,
  };
  const { ledgerPage, teeId: _, fee: __, ...signed } = proposal;
  const signature = await operator.signTypedData(domain, PROPOSAL_TYPES, {
    ...signed,
    page: ledgerPage,
  });
  const receipt = await (await pages.proposePage(proposal, signature)).wait();
  const log = receipt?.logs
    .map((entry) => pages.interface.parseLog(entry))
    .find((entry) => entry?.name === "PageProposed");
  if (log == null) throw new RangeError("the page was not proposed");
  const header = headerOfProposal(log.args as unknown as PageHeader);
  return { pageId: log.args.pageId, header, content: page, gas: receipt?.gasUsed ?? 0n };
}
