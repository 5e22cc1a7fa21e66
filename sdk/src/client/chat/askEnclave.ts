import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { BaseError } from "@haca/protocol/baseError";
import { bytesOfBase64, keccak, sliceHex, toHex } from "../../bytes.ts";
import { checkAttestation } from "../../checks/ofEvidence.ts";
import { keyIn } from "../../receipt/receiptOfAnswer.ts";
import { askNode, askNodeJson, refusalOf } from "../askNode.ts";
import type { Client, EnclaveWords } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import type { Send } from "../send.ts";

const NONCE_BYTES = 20;

/**
 * Asks a node for its signing key and, where it is wanted, its enclave's document, made for a nonce that nobody knew before. What
 * they are worth is for `verify`.
 * @throws BaseError `node.*`; `node.staleDocument` for a document that was made for somebody else, or earlier
 */
export async function askEnclave(parameters: {
  client: Client;
  node: URL;
  wantsDocument: boolean;
  signal: AbortSignal | undefined;
  /** over which connections; any if left out */
  send?: Send | undefined;
  /** its key as it was before, for which it is not asked again */
  kept?: unknown;
}): Promise<EnclaveWords> {
  const { client, kept, node, send, signal, wantsDocument } = parameters;
  const limits = { bytes: client.limits.askBytes, ms: client.limits.askMs };
  const timed = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
    client.memory.timed({ node, slowMs: client.limits.slowMs, ask });
  const askKey = () => askNodeJson({ node, path: "/signing-key", limits, signal, send });
  const [signingKey, document] = await Promise.all([
    kept === undefined ? timed(askKey) : kept,
    wantsDocument ? (kept === undefined ? askDocument() : timed(askDocument)) : undefined,
  ]);
  return { signingKey, ...(document && { document }) };

  async function askDocument(): Promise<Uint8Array> {
    const nonce = toHex(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
    const path = `/enclave/attestation?nonce=${nonce.slice(2)}`;
    const answer = await askNode({ node, path, limits, signal, send });
    if (answer.status !== 200) throw refusalOf(answer, node.host);
    const read = readDocument(answer.text, node.host);
    if (read.nonce === null || toHex(read.nonce) !== clientNonce(nonce)) {
      throw nodeError("staleDocument", `${node.host} shows a document that was not made for us`);
    }
    return read.bytes;
  }
}

function readDocument(text: string, host: string): { bytes: Uint8Array; nonce: Uint8Array | null } {
  try {
    const bytes = bytesOfBase64(text.trim());
    return { bytes, nonce: parseDocument(bytes).nonce };
  } catch (cause) {
    throw nodeError("malformed", `${host} shows no attestation document`, { cause });
  }
}

/**
 * The node that an enclave is, where its document vouches for its key and its image is pinned; without a document what it says.
 * @throws BaseError `answer.notVerified`, `format.malformed`
 */
export async function requireEnclave(parameters: {
  client: Client;
  node: URL;
  enclave: EnclaveWords;
}): Promise<string> {
  const { client, enclave, node } = parameters;
  const { key } = keyIn(enclave.signingKey);
  if (enclave.document !== undefined) {
    const document = toHex(enclave.document);
    const line = await checkAttestation(
      {
        core: { key, attestation: keccak(document) },
        documents: [{ type: "attestation", document }],
      },
      { pins: client.pins, now: BigInt(Math.floor(Date.now() / 1000)) },
    ).catch((error: unknown) => ({ status: "refuted", detail: String(error) }));
    if (line.status !== "asserted") {
      throw new BaseError({
        ...{ code: "answer.notVerified", details: { missing: ["attestation"], lines: [line] } },
        message: `${node.host} is not asked, for: attestation (${line.detail}); nothing was paid`,
      });
    }
  }
  return sliceHex(keccak(key), 12);
}
