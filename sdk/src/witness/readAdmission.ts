import { keccak, lengthOf, sliceHex, wordOf } from "../bytes.ts";
import type { ReceiptCore } from "../receipt/receipt.ts";
import type { State } from "./state.ts";
import { entriesAt, fieldOf, placeIn, type StorageLayout, slotIn } from "./storageLayout.ts";

/** Whether the registry has the enclave in service for an answer, and why it has not. */
export type Admission = { image: string } | { refused: string };

const NODE = "ITEERegistryTypes.Node";
const APPROVAL = "TEEImages.Approval";
const ENTRY = "Histories.Entry";
const TERM = "TEENodes.Term";
const UNKNOWN = 0n;
const ENABLED_TO_RETIRED = [1n, 2n, 3n];
const VERIFIER_SHIFT = 32n;
/** A code store's bytes stand behind a byte that ends whoever runs them. */
const STORE_PREFIX = 1;
const IDENTITY_LENGTH = 94;

/**
 * As `TEERegistry.wasInService` answers, from the registry's storage and the node's record, but for the certificates: whether one of
 * them is revoked is in other contracts.
 */
export async function readAdmission(
  state: State,
  { core, layout }: { core: ReceiptCore; layout: StorageLayout },
): Promise<Admission> {
  const { teeId, timestamp } = core.message;
  const link = placeIn(layout.settlement, "teeRegistry", "contract ITEERegistry");
  const linked = fieldOf(await state.slot(core.settlement, link.slot), link);
  const registry = sliceHex(wordOf(linked), 12);
  const of = layout.teeRegistry;
  const slot = (place: bigint): Promise<bigint> => state.slot(registry, place);
  const baseOf = (name: string, type: string): bigint => placeIn(of, name, type).slot;
  const member = async (base: bigint, name: string, type: string): Promise<bigint> => {
    const place = placeIn(of, name, type);
    return fieldOf(await slot(base + place.slot), place);
  };
  const time = [BigInt(timestamp), state.block.time].reduce((a, b) => (a < b ? a : b));

  const node = slotIn(baseOf("_nodes", `mapping(bytes32 => struct ${NODE})`), teeId);
  const status = await member(node, `${NODE}.status`, "enum ITEERegistryTypes.NodeStatus");
  if (status === UNKNOWN) return { refused: "the registry knows no such enclave" };
  if (!ENABLED_TO_RETIRED.includes(status)) return { refused: "the enclave is excluded" };
  const registeredAt = await member(node, `${NODE}.registeredAt`, "uint48");
  if (time < registeredAt) return { refused: "the enclave was registered later" };
  const store = await member(node, `${NODE}.record`, "address");
  const record = await readRecord(state, sliceHex(wordOf(store), 12));

  const histories = baseOf("_histories", `mapping(bytes32 => struct ${ENTRY}[])`);
  const standing =
    (await standingAt({ slot, member, place: slotIn(histories, teeId), time })) ??
    (record.generation << VERIFIER_SHIFT) +
      (await member(node, `${NODE}.imageGeneration`, "uint32"));
  if (standing === 0n) return { refused: "the enclave was out of service" };

  const teeType = await member(node, `${NODE}.teeType`, "uint8");
  const image = keccak(record.measurement, wordOf(teeType), wordOf(record.verifierId));
  const approvals = baseOf(
    "_approvals",
    `mapping(bytes32 => mapping(uint32 => struct ${APPROVAL}))`,
  );
  const generation = standing & ((1n << VERIFIER_SHIFT) - 1n);
  const approval = slotIn(approvals, image, wordOf(generation));
  const approvedAt = await member(approval, `${APPROVAL}.approvedAt`, "uint48");
  const revokedAt = await member(approval, `${APPROVAL}.revokedAt`, "uint48");
  if (approvedAt === 0n || time < approvedAt || (revokedAt !== 0n && time >= revokedAt)) {
    return { refused: `image ${record.measurement} was not approved` };
  }
  const operator = wordOf(await member(node, `${NODE}.operator`, "address"));
  const denied = slotIn(baseOf("isOperatorDenied", "mapping(address => bool)"), operator);
  if ((await slot(denied)) !== 0n) return { refused: "the enclave's operator is excluded" };

  const terms = slotIn(
    baseOf("_terms", `mapping(uint8 => struct ${TERM}[])`),
    wordOf(record.verifierId),
  );
  const next = standing >> VERIFIER_SHIFT;
  const from = (number: bigint): Promise<bigint> =>
    member(entriesAt(terms) + number, `${TERM}.from`, "uint48");
  const count = await slot(terms);
  const isOver = next < count && time >= (await from(next));
  if (next === 0n || next > count || time < (await from(next - 1n)) || isOver) {
    return { refused: "the enclave's verifier was another one" };
  }
  return { image: record.measurement };
}

type Reads = {
  slot: (place: bigint) => Promise<bigint>;
  member: (base: bigint, name: string, type: string) => Promise<bigint>;
};

/** As `Histories.valueAt`; undefined where nothing ever changed. */
async function standingAt({
  member,
  place,
  slot,
  time,
}: Reads & { place: bigint; time: bigint }): Promise<bigint | undefined> {
  const count = await slot(place);
  if (count === 0n) return undefined;
  const entry = (number: bigint): bigint => entriesAt(place) + number;
  let [low, high] = [0n, count];
  while (low < high) {
    const middle = (low + high) / 2n;
    if ((await member(entry(middle), `${ENTRY}.from`, "uint48")) > time) high = middle;
    else low = middle + 1n;
  }
  return low === 0n ? 0n : await member(entry(low - 1n), `${ENTRY}.value`, "uint64");
}

/** What `NodeRecords` keeps first. */
async function readRecord(
  { code }: State,
  store: string,
): Promise<{ measurement: string; verifierId: bigint; generation: bigint }> {
  const bytes = await code(store);
  if (lengthOf(bytes) < STORE_PREFIX + IDENTITY_LENGTH) throw new Error("a node without a record");
  const part = (start: number, length: number): string =>
    sliceHex(bytes, STORE_PREFIX + start, STORE_PREFIX + start + length);
  return {
    measurement: part(0, 32),
    verifierId: BigInt(part(84, 1)),
    generation: BigInt(part(85, 4)),
  };
}
