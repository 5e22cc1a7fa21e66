import { BaseError } from "@haca/protocol/baseError";
import { SAID } from "../checks/ofChain.ts";
import { MAXIMUM_CLOCK_SKEW } from "../checks/ofMessage.ts";
import { type AsOf, type Line, lineOf } from "../line.ts";
import type { ReceiptCore, WitnessEvidence } from "../receipt/receipt.ts";
import { readWitnessed, type Witnessed } from "./readWitnessed.ts";
import { type State, stateUnder } from "./state.ts";
import type { StorageLayout } from "./storageLayout.ts";
import { WitnessParts } from "./witnessParts.ts";

const WITNESS = "witness";

/** The lines that witnesses give; `settled` is for where no chain is asked. */
export type WitnessLines = { lines: readonly Line[]; settled: Line };

type Seen = { block: State["block"]; witnessed: Witnessed };

/**
 * What witnesses show, each of which has to hold under its own header; as of the latest block that the verifier vouches for.
 * @param layout of the pinned settlement; undefined where it is not known
 * @param blockHashes of blocks that the verifier knows to be the chain's
 */
export async function judgeWitnesses(
  { core, witnesses }: { core: ReceiptCore; witnesses: readonly WitnessEvidence[] },
  { layout, blockHashes }: { layout: StorageLayout | undefined; blockHashes: readonly string[] },
): Promise<WitnessLines> {
  if (layout === undefined) {
    return nothing(core, "unknown", "the storage of the settlement is not pinned");
  }
  let seen: Seen[];
  try {
    seen = await Promise.all(witnesses.map((evidence) => look(evidence, { core, layout })));
  } catch (error) {
    const isOfLayout = error instanceof BaseError && error.code === "witness.layout";
    const words = error instanceof Error ? error.message : "the witness cannot be read";
    return nothing(core, isOfLayout ? "unknown" : "refuted", words);
  }
  const known = new Set(blockHashes.map((hash) => hash.toLowerCase()));
  const latest = (some: readonly Seen[]): Seen | undefined =>
    some.reduce<Seen | undefined>(
      (a, b) => (a !== undefined && a.block.number >= b.block.number ? a : b),
      undefined,
    );
  const vouched = latest(seen.filter(({ block }) => known.has(block.hash)));
  if (vouched !== undefined) return linesOf(core, vouched);
  const number = latest(seen)?.block.number;
  return nothing(core, "unknown", `nobody vouches for block ${number}`);
}

async function look(
  { codes, header, nodes }: WitnessEvidence,
  question: { core: ReceiptCore; layout: StorageLayout },
): Promise<Seen> {
  const parts = new WitnessParts();
  const isNew = [
    ...nodes.map((node) => parts.add("nodes", node)),
    ...codes.map((code) => parts.add("codes", code)),
  ];
  if (isNew.includes(false)) throw new Error("the witness has a part twice");
  const state = stateUnder(header, parts);
  const witnessed = await readWitnessed(state, question);
  parts.requireUsed();
  return { block: state.block, witnessed };
}

function linesOf({ message }: ReceiptCore, { block, witnessed }: Seen): WitnessLines {
  const { admission, fate } = witnessed;
  const asOf: AsOf = {
    ...{ type: "block", number: String(block.number) },
    ...{ hash: block.hash, time: String(block.time) },
  };
  const by = { source: WITNESS, asOf };
  const lines = [lineOf("witness", "asserted", "it shows the state of that block", by)];
  if (admission !== undefined && BigInt(message.timestamp) > block.time + MAXIMUM_CLOCK_SKEW) {
    lines.push(lineOf("admitted", "unknown", "that block is older than the answer", by));
  } else if (admission !== undefined) {
    lines.push(
      "refused" in admission
        ? lineOf("admitted", "refuted", admission.refused, by)
        : lineOf(
            ...(["admitted", "asserted"] as const),
            `the enclave was in service, its image ${admission.image} approved; its certificates were not looked at`,
            by,
          ),
    );
  }
  return { lines, settled: lineOf("settled", ...SAID[fate], by) };
}

/** Where a witness shows nothing. */
function nothing(core: ReceiptCore, status: "refuted" | "unknown", detail: string): WitnessLines {
  const isOfEnclave = BigInt(core.message.teeId) !== 0n;
  const reason = status === "unknown" ? detail : "the witness does not hold";
  return {
    lines: [
      lineOf("witness", status, detail),
      ...(isOfEnclave ? [lineOf("admitted", "unknown", reason)] : []),
    ],
    settled: lineOf("settled", "unknown", reason),
  };
}
