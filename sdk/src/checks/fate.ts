import { wordOf } from "../bytes.ts";
import {
  digestOf,
  isLedgerWriter,
  isSettled,
  settledDigest,
  stateInPage,
} from "../chain/contractReads.ts";
import type { Chain } from "../chain/openChain.ts";
import { messagesSettled } from "../chain/settledEvents.ts";
import { signatureInPage } from "../page.ts";
import type { PageEvidence, ReceiptCore } from "../receipt/receipt.ts";
import { messageWords } from "../typedData.ts";
import { isOfEnclave } from "./ofMessage.ts";

/** What became of a result, as a chain has it at one block. */
export type Fate =
  /** nothing that is known here took its request */
  | { type: "free" }
  /** settled by a transaction: this result, another one, or one of which the chain does not show what it was */
  | { type: "settled" | "other" | "some" }
  /** in a page of the receipt; pending until `until`, in unix seconds */
  | { type: "unknownPage" | "final" | "rejected" | "disproved" }
  | { type: "pending"; until: bigint };

const NOT_KEPT = wordOf(0n);
/** As `PageSettlement` counts what became of a page. */
const STATES = ["unknownPage", "pending", "final", "rejected", "disproved"] as const;

/** @throws BaseError `chain.*` */
export async function fateOf(
  chain: Chain,
  { core, pages }: { core: ReceiptCore; pages: readonly PageEvidence[] },
): Promise<Fate> {
  const { settlement, message } = core;
  if (await isSettled(chain, settlement, message.requestId)) return await fateAlone(chain, core);
  for (const page of pages) {
    const signature = signatureInPage(core, page);
    if (signature === undefined) continue;
    if (!(await isLedgerWriter(chain, settlement, page.pageSettlement))) continue;
    const { state, until } = await stateInPage(chain, { core, page, signature });
    const type = STATES[Number(state)] ?? "unknownPage";
    return type === "pending" ? { type, until } : { type };
  }
  return { type: "free" };
}

/** Of a result with a price the chain keeps a digest; of others it has the event, which not every endpoint goes on showing. */
async function fateAlone(chain: Chain, core: ReceiptCore): Promise<Fate> {
  const kept = await digestOf(chain, core.settlement, core.message.requestId);
  const kind = isOfEnclave(core) ? 2n : 1n;
  if (kept !== NOT_KEPT) return { type: kept === settledDigest(kind, core) ? "settled" : "other" };
  const [settled] = await messagesSettled(chain, core);
  if (settled === undefined) return { type: "some" };
  const isSame = settled.join() === messageWords(core).join();
  return { type: isSame ? "settled" : "other" };
}
