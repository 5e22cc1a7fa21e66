import { RefusedRequestError } from "../gatewayError.ts";
import type { OhttpKeys } from "./ohttpKeys.ts";
import type { SeenRequests } from "./seenRequests.ts";
import { headerOf, hpke, PUBLIC_KEY_BYTES } from "./suite.ts";

/** Code of what does not open. */
export const UNOPENED = "ohttp.malformed";
const REQUEST_INFO = Buffer.from("message/bhttp request\0");
const HEADER_BYTES = 7;
const SECRET_BYTES = 32;

/** A request that was opened. */
export type OpenedRequest = {
  /** what the client has sealed */
  text: Uint8Array;
  /** what it was encapsulated with; the answer is sealed under it, too */
  encapsulated: Uint8Array;
  /** a secret that the client shares, 32 bytes, one for each use */
  secretFor: (use: string) => Promise<Uint8Array>;
};

/**
 * Opens a request, once.
 * @throws RefusedRequestError the same for whatever is wrong with it: nobody learns which part
 */
export async function openRequest(parameters: {
  bytes: Uint8Array;
  keys: OhttpKeys;
  seen: SeenRequests;
  /** for which it is opened: then it opens again for that one */
  payment?: string;
}): Promise<OpenedRequest> {
  const { bytes, keys, payment, seen } = parameters;
  const [keyId = 0] = bytes;
  const header = bytes.subarray(0, HEADER_BYTES);
  const key = keys.find(keyId);
  if (key === undefined || !Buffer.from(headerOf(keyId)).equals(header)) throw malformed();
  const end = HEADER_BYTES + PUBLIC_KEY_BYTES;
  const encapsulated = Uint8Array.from(bytes.subarray(HEADER_BYTES, end));
  try {
    const info = Uint8Array.from(Buffer.concat([REQUEST_INFO, header]));
    const context = await hpke.createRecipientContext({
      recipientKey: key,
      enc: encapsulated,
      info,
    });
    const text = new Uint8Array(await context.open(bytes.subarray(end)));
    // Only what opens: others could fill the memory with what they make up.
    if (!seen.add(encapsulated, payment)) throw malformed();
    const secretFor = async (use: string) =>
      new Uint8Array(await context.export(Buffer.from(use), SECRET_BYTES));
    return { text, encapsulated, secretFor };
  } catch {
    throw malformed();
  }
}

const malformed = (): RefusedRequestError =>
  new RefusedRequestError({
    status: 400,
    code: UNOPENED,
    message: "malformed encapsulated request",
  });
