import { concatHex, lengthOf } from "../bytes.ts";
import { chainError } from "../chain/jsonRpc.ts";

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
    return encodeBytes(QUANTITIES.has(name) ? minimal(text) : text);
  });
  const payload = concatHex(...fields.filter((field) => field !== undefined));
  return concatHex(headOf(0xc0, lengthOf(payload)), payload);
}

/** Without leading zeros, whole bytes; zero is nothing. */
function minimal(quantity: string): string {
  const digits = quantity.slice(2).replace(/^0+/, "");
  return `0x${digits.length % 2 === 0 ? "" : "0"}${digits}`;
}

function encodeBytes(bytes: string): string {
  const isAlone = lengthOf(bytes) === 1 && Number(bytes) < 0x80;
  return isAlone ? bytes : concatHex(headOf(0x80, lengthOf(bytes)), bytes);
}

function headOf(base: number, length: number): string {
  if (length <= 55) return `0x${(base + length).toString(16)}`;
  const digits = length.toString(16).padStart(length > 0xff ? 4 : 2, "0");
  return `0x${(base + 55 + digits.length / 2).toString(16)}${digits}`;
}
