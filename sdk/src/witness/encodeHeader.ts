import { chainError } from "../chain/jsonRpc.ts";
import { rlpBytes, rlpList, rlpQuantity } from "./encodeRlp.ts";

/** A header's fields in their order, as JSON-RPC names them; from the sixteenth on they came later, one after another. */
const FIELDS = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"],
  ...["logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"],
  ...["mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"],
  ...["parentBeaconBlockRoot", "requestsHash"],
] as const;
const QUANTITIES: ReadonlySet<string> = new Set([
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp"],
  ...["baseFeePerGas", "blobGasUsed", "excessBlobGas"],
]);
const LEAST_FIELDS = 15;
const HEX = /^0x[0-9a-f]*$/;

/** The RLP of a block's header. That it is the block's shows its hash. @throws BaseError `chain.badAnswer` */
export function encodeHeader(block: unknown): string {
  const fields = FIELDS.map((name, place) => {
    const value: unknown =
      typeof block === "object" && block !== null ? Reflect.get(block, name) : undefined;
    if ((value === undefined || value === null) && place >= LEAST_FIELDS) return undefined;
    const text = typeof value === "string" ? value.toLowerCase() : "";
    if (!HEX.test(text)) throw chainError("badAnswer", `an RPC shows no ${name} of a block`);
    return QUANTITIES.has(name) ? rlpQuantity(text) : rlpBytes(text);
  });
  return rlpList(...fields.filter((field) => field !== undefined));
}
