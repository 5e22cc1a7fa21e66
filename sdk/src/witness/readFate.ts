import { wordOf } from "../bytes.ts";
import { settledDigest } from "../chain/contractReads.ts";
import type { Fate } from "../checks/fate.ts";
import { isOfEnclave } from "../checks/ofMessage.ts";
import { placeOf } from "../page.ts";
import type { ReceiptCore } from "../receipt/receipt.ts";
import type { State } from "./state.ts";
import { entriesAt, placeIn, type StorageLayout, slotIn } from "./storageLayout.ts";

const MAXIMUM_WRITERS = 16n;
const BITMAPS = "mapping(uint256 => uint256)";
const BITMAPS_OF_WRITERS = `mapping(address => ${BITMAPS})`;

/** What became of a result; `held`: a page has it that is not final, or whose contract is asked for it. */
export type WitnessedFate = Extract<Fate["type"], "free" | "settled" | "other" | "some"> | "held";

/** As `RequestLedger.isSettled`, then `digestOf`, answer from the settlement's storage. */
export async function readFate(
  { slot }: Pick<State, "slot">,
  { core, layout }: { core: ReceiptCore; layout: StorageLayout },
): Promise<WitnessedFate> {
  const { message, settlement } = core;
  const { ledgerPage, index } = placeOf(message.requestId);
  const at = (name: string, type: string): bigint => placeIn(layout.settlement, name, type).slot;
  const hasBit = async (place: bigint, bit: bigint): Promise<boolean> =>
    (((await slot(settlement, place)) >> bit) & 1n) === 1n;

  const page = wordOf(ledgerPage);
  if (!(await hasBit(slotIn(at("_pages", BITMAPS), page), BigInt(index)))) return "free";
  const writers = at("_writers", "address[]");
  const count = await slot(settlement, writers);
  if (count > MAXIMUM_WRITERS) throw new Error("the ledger has more writers than it can have");
  for (let number = 0n; number < count; number += 1n) {
    const writer = wordOf(await slot(settlement, entriesAt(writers) + number));
    const whole = slotIn(
      at("_heldWhole", BITMAPS_OF_WRITERS),
      ...[writer, wordOf(ledgerPage >> 8n)],
    );
    if (await hasBit(whole, ledgerPage & 0xffn)) return "held";
    const held = slotIn(at("_held", BITMAPS_OF_WRITERS), writer, page);
    if (await hasBit(held, BigInt(index))) return "held";
  }
  const digests = at("digestOf", "mapping(bytes32 => bytes32)");
  const kept = await slot(settlement, slotIn(digests, message.requestId));
  if (kept === 0n) return "some";
  const expected = settledDigest(isOfEnclave(core) ? 2n : 1n, core);
  return wordOf(kept) === expected ? "settled" : "other";
}
