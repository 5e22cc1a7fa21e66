import { BlobError } from "@haca/protocol/blobs/blobError";
import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { type BlobStore, putAndReadBack } from "@haca/protocol/blobs/blobStore";
import { encodePageBlob } from "@haca/protocol/blobs/pageBlob";
import { headerOfProposal, type PageHeader, placesOf } from "@haca/protocol/pageSettlement";
import { requestIdAt } from "@haca/protocol/requestId";
import { type Log, ZeroHash } from "ethers";
import { pageInterface } from "../../../chain/chain.ts";
import { NonRetryableError, NotYetError } from "../../../errors.ts";
import { ledgerPrefixOf } from "../../../jobs/leases.ts";
import { judgeLeaves } from "../pages/judgeLeaves.ts";
import { headerOf, makePage } from "../pages/makePage.ts";
import { requireDeposit } from "../pages/requireDeposit.ts";
import { takeFitting } from "../pages/takeFitting.ts";
import { type Followed, lotsOf, type SettlementDriver } from "./settlementDriver.ts";

const NOTHING_TO_TAKE = "PageSettlement_NothingToTake";

/**
 * Proposal of up to 256 results of one enclave and one ledger page, by the operator of the enclave, whose deposit answers for
 * them. Nothing is settled by that: the jobs are pending until the page is final. Nothing that a contract refuses here is a
 * verdict on a job: it does not look at one.
 */
export const page: SettlementDriver = {
  name: "page",
  takes(jobs) {
    const isOne = new Set(jobs.map(({ requestId }) => ledgerPrefixOf(requestId))).size === 1;
    return (
      isOne &&
      jobs.length > 1 &&
      jobs.every(({ enclave, pageId }) => enclave !== undefined && pageId === null)
    );
  },
  form({ batching, waiting }) {
    const { page: grouping } = batching;
    if (grouping === undefined) return [];
    return waiting
      .filter(({ evidence }) => evidence === "enclave")
      .flatMap((ofPage) => {
        const stage = { state: "proven", evidence: "enclave", settleAlone: false } as const;
        return lotsOf({ waiting: ofPage, grouping, lot: { stage, page: ofPage.ofOne } });
      });
  },
  async encode(jobs, { account, chain, pages }) {
    if (pages?.blobs === undefined) {
      throw new NonRetryableError({ code: "page.off", message: "no pages are proposed here" });
    }
    const resultWindow = await requireDeposit({ chain, account });
    const made = makePage({ jobs, domain: chain.domain });
    const blobId = await store({ blobs: pages.blobs, bytes: encodePageBlob(made) });
    const teeId = jobs[0]?.enclave?.teeId ?? ZeroHash;
    // Mined later, its oldest result would be too old, and cost the deposit.
    const [oldest = 0n] = jobs.map(({ timestamp }) => timestamp).sort((a, b) => (a < b ? -1 : 1));
    const proposal = { ...headerOf({ made, teeId, blobId }), deadline: oldest + resultWindow };
    const data = pageInterface.encodeFunctionData("proposePage", [proposal, "0x"]);
    return { to: pages.contract, data };
  },
  takeFitting,
  findUnfit: judgeLeaves,
  findInvalid: async ({ jobs }) => jobs,
  follow({ receipt, chain }) {
    const topic = pageInterface.getEvent("PageProposed")?.topicHash;
    const log = receipt.logs.find(
      ({ address, topics }) => address === chain.pageSettlement && topics[0] === topic,
    );
    return log === undefined ? { requests: new Set() } : followLog(log);
  },
  undo(mishap, revert) {
    if (mishap === "unsettled" || revert === NOTHING_TO_TAKE) return "apart";
    return "together";
  },
  transientReverts: [],
};

/** Has the blob stored and reads it back. Returns its id as a word. @throws NotYetError where the store fails */
async function store(parameters: { blobs: BlobStore; bytes: Uint8Array }): Promise<string> {
  const { blobs, bytes } = parameters;
  try {
    const { id } = await putAndReadBack({ store: blobs, bytes });
    return blobIdToWord(id);
  } catch (error) {
    if (!(error instanceof BlobError)) throw error;
    throw new NotYetError({ code: error.code, message: error.message, cause: error });
  }
}

/** What a proposal took, as its event says. */
function followLog(log: Log): Followed {
  const { args } = pageInterface.parseLog(log) ?? { args: undefined };
  if (args === undefined) return { requests: new Set() };
  const header = headerOfProposal(args as unknown as PageHeader);
  const { ledgerPage } = header;
  const requests = new Set(placesOf(header).map((index) => requestIdAt({ ledgerPage, index })));
  return { requests, page: { pageId: args.pageId, endsAt: args.end, header } };
}
