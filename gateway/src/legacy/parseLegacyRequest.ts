import { NumberText } from "@haca/protocol/json/json";
import { readLegacyJson } from "@haca/protocol/json/readJson";
import { LegacyRequestError, legacyRequestText } from "@haca/protocol/legacyRequest";
import { id } from "ethers";
import { RefusedRequestError } from "../gatewayError.ts";
import { type ChatRequest, type LegacyTerms, parseChatRequest } from "../server/chatRequest.ts";
import { readRequestBody, refused } from "../server/requestBody.ts";
import { legacyJson } from "./legacyJson.ts";

/** A request that is answered in the profile `legacy`. */
export type LegacyRequest = ChatRequest & { legacy: LegacyTerms };

export const isLegacy = (request: ChatRequest): request is LegacyRequest =>
  request.legacy !== undefined;

/** Header by which a client of the public network says what is to become of an answer, and that it is one. */
export const SETTLEMENT_HEADER = "x-settlement-type";

/**
 * Where an answer is signed as a result, too, the body has to be one that both profiles read: what goes upstream is what the
 * result's hash is of, and has the values that the client's hash is of.
 * @throws RefusedRequestError naming the field
 */
export function parseLegacyRequest(parameters: {
  path: ChatRequest["path"];
  bytes: Uint8Array;
  header: (name: string) => string | undefined;
  models: ReadonlyMap<string, string>;
  /** members that are taken out, unread */
  drops?: readonly string[];
  /** throws where something stands in the body that must not */
  forbid?: (json: ReadonlyMap<string, unknown>) => void;
  /** whether the answer is signed in both profiles */
  signsBoth: boolean;
}): LegacyRequest {
  const { header, path, signsBoth } = parameters;
  const { json, ...rest } = readRequestBody({ ...parameters, read: readLegacyJson });
  const n = json.get("n") ?? null;
  if (n !== null && !(n instanceof NumberText && Number(n.text) === 1)) {
    throw refused("n.unsupported", "n", "must be 1: the profile signs one choice");
  }
  if (header("idempotency-key") !== undefined) {
    const reason = "is not taken in the profile legacy";
    throw refused("idempotency.unsupported", "idempotency-key", reason);
  }
  const settlement = settlementOf(header(SETTLEMENT_HEADER));
  const kind = path === "chat/completions" ? "chat" : "completion";
  const requestHash = hashOf(() => legacyRequestText(json, kind));
  const legacy = { settlement, requestHash };
  if (signsBoth) return { ...parseChatRequest(parameters), legacy };
  return {
    ...{ path, ...rest, salt: "", isSalted: false, repeat: undefined, legacy },
    body: new TextEncoder().encode(legacyJson(json)),
    inputHash: requestHash,
  };
}

function settlementOf(type = "batch"): LegacyTerms["settlement"] {
  const name = type.toLowerCase();
  if (name === "batch" || name === "private") return name;
  const reason =
    name === "individual"
      ? "individual is not offered, because it puts prompt and answer where everybody reads them: batch or private"
      : "must be batch or private";
  throw refused("settlement.unsupported", SETTLEMENT_HEADER, reason);
}

function hashOf(text: () => string): string {
  try {
    return id(text());
  } catch (error) {
    if (!(error instanceof LegacyRequestError)) throw error;
    const [field = "body"] = error.message.split(":");
    throw new RefusedRequestError({
      ...{ status: 400, code: "request.unsupported", field, message: error.message },
    });
  }
}
