import { type Chain, openChain } from "../chain/openChain.ts";
import { MAXIMUM_CLOCK_SKEW } from "../checks/ofMessage.ts";
import { settlementIn } from "../pins.ts";
import { appendEvidence } from "../receipt/makeReceipt.ts";
import type { Receipt, ReceiptCore, WitnessEvidence } from "../receipt/receipt.ts";
import type { Client } from "./client.ts";
import { optionError } from "./optionError.ts";

/** Of which block an answer's receipt has a witness, whose hash is to be noted; or why it has none. */
export type WitnessTaken =
  | { block: Readonly<Record<"number" | "hash" | "time", string>> }
  | { missing: string };

type Asked = Pick<Client, "chainId" | "pins" | "rpcs">;

/**
 * Of the latest block on which the client's endpoints agree, by the first of them (`eth_getProof`); or why there is none.
 * @throws BaseError `chain.*`, `format.malformed`, `witness.layout`
 */
export async function askWitness(
  { chainId, pins, rpcs }: Asked,
  core: ReceiptCore,
): Promise<{ evidence: WitnessEvidence; block: Chain["block"] } | string> {
  const [rpc] = rpcs;
  if (rpc === undefined) return "no RPC was given";
  const layout = settlementIn(pins, core)?.storage;
  if (layout === undefined) return "the storage of the settlement is not pinned";
  const { block } = await openChain({ rpcs, chainId });
  if (block.time + MAXIMUM_CLOCK_SKEW < BigInt(core.message.timestamp)) {
    return "the endpoints' block is older than the answer";
  }
  const { makeWitness } = await import("../witness/makeWitness.ts");
  return { evidence: await makeWitness({ rpc, block, core, layout }), block };
}

/** A receipt with a witness of now, where one is wanted and can be had: no answer is lost for it. */
export async function withWitness(
  asked: Asked,
  receipt: Receipt,
  { wantsWitness }: { wantsWitness: boolean },
): Promise<{ receipt: Receipt; witness: WitnessTaken | null }> {
  if (!wantsWitness) return { receipt, witness: null };
  try {
    const found = await askWitness(asked, receipt.core);
    if (typeof found === "string") return { receipt, witness: { missing: found } };
    const { evidence, block } = found;
    const [number, time] = [String(block.number), String(block.time)];
    return {
      receipt: appendEvidence(receipt, evidence),
      witness: { block: { number, hash: block.hash, time } },
    };
  } catch (error) {
    // Whatever it is, a part that could not be loaded too: the answer is there, and may have been paid.
    return {
      receipt,
      witness: { missing: error instanceof Error ? error.message : String(error) },
    };
  }
}

/** The block for which a client vouches that has agreed on it. */
export const blockHashesOf = (witness: WitnessTaken | null): readonly string[] =>
  witness !== null && "block" in witness ? [witness.block.hash] : [];

/**
 * Whether a witness is wanted, by a call or by its client.
 * @throws BaseError `option.wrong`, where none could ever be had: nobody is asked for nothing
 */
export function readWitness(
  client: Pick<Client, "pins" | "rpcs" | "wantsWitness">,
  { witness = client.wantsWitness }: { witness?: boolean },
): boolean {
  if (typeof witness !== "boolean") throw optionError("witness", "must be true or false");
  if (!witness) return false;
  if (client.rpcs.length === 0)
    throw optionError("rpcs", "none was given, and a witness is wanted");
  const { settlements = [] } = client.pins;
  if (settlements.some(({ storage }) => storage !== undefined)) return true;
  throw optionError("pins.settlements", "none has its storage pinned, and a witness is wanted");
}
