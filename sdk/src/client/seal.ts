import { BaseError } from "@haca/protocol/baseError";
import { keccak, toHex } from "../bytes.ts";
import { evidenceOf } from "../checks/ofEvidence.ts";
import { isOfEnclave } from "../checks/ofMessage.ts";
import type { Pins } from "../pins.ts";
import { appendEvidence } from "../receipt/makeReceipt.ts";
import type { Evidence, Receipt } from "../receipt/receipt.ts";
import { verify } from "../verify.ts";
import { sendFor } from "./chat/openChannel.ts";
import type { Client } from "./client.ts";
import { askPage, askStanding } from "./infer/askStanding.ts";
import { resolveModel } from "./infer/resolveModel.ts";
import { askWitness } from "./takeWitness.ts";

export type Sealed = {
  receipt: Receipt;
  /** what was appended now */
  appended: readonly Evidence["type"][];
  /** what a receipt of this kind can have besides, and why it has not */
  missing: readonly { type: Evidence["type"]; reason: string }[];
};

/**
 * Appends the evidence that can be had now: the proof and the page, from the node that answered, and the attestation document
 * that the core names, where somebody has it; a witness of the chain's latest block if that is wanted. What does not hold is not
 * appended, but thrown.
 * @param parameters.client with `channel: "attested"` the node is asked over such a one
 * @param parameters.node from `readNodeAddress`; none: no node is asked
 * @param parameters.document attestation document
 * @param parameters.wantsWitness asks the first of the client's endpoints for it (`eth_getProof`)
 * @throws BaseError `seal.refuted`, `seal.otherChain`, and as `infer`
 */
export async function seal(parameters: {
  client: Client;
  receipt: Receipt;
  node?: URL | undefined;
  document?: Uint8Array | undefined;
  wantsWitness?: boolean | undefined;
  signal?: AbortSignal | undefined;
}): Promise<Sealed> {
  const { client, document, node, receipt, signal, wantsWitness = false } = parameters;
  const { core } = receipt;
  if (core.chainId !== client.chainId) {
    throw sealError("otherChain", `the receipt is of chain ${core.chainId}, not ${client.chainId}`);
  }
  const missing: { type: Evidence["type"]; reason: string }[] = [];
  const evidence: Evidence[] = [];
  let { pins } = client;
  const lacks = (type: Evidence["type"]): boolean => evidenceOf(receipt, type).length === 0;
  const miss = (type: Evidence["type"], reason: string): void =>
    void missing.push({ type, reason });

  const wantsProof = !isOfEnclave(core) && lacks("proof");
  const wantsPage = lacks("page");
  if (node === undefined) {
    if (wantsProof) miss("proof", "no node was named to ask");
    if (wantsPage) miss("page", "no node was named to ask");
  } else if (wantsProof || wantsPage) {
    const send = await sendFor({ client, node, signal });
    const question = { client, node, core, signal, send };
    const { proof, state } = await askStanding(question);
    if (wantsProof && proof === null) miss("proof", `the request is ${state}`);
    if (wantsProof && proof !== null) {
      // The version may be deprecated by now: what it answered before stays.
      const version = core.message.modelVersion;
      const resolved = await resolveModel(client, version, { mayBeDeprecated: true });
      pins = resolved.pins;
      evidence.push({ type: "proof", proof, verifyingKey: resolved.model.verifyingKey });
    }
    const page = wantsPage ? await askPage(question) : null;
    if (wantsPage && page === null) miss("page", `the request is ${state}`);
    if (page !== null) evidence.push(page);
  }
  const lacksDocument = core.attestation !== null && lacks("attestation");
  if (document !== undefined) {
    const given = toHex(document);
    if (keccak(given) !== core.attestation) {
      throw sealError("refuted", "the document is not the one that the core names");
    }
    if (lacksDocument) evidence.push({ type: "attestation", document: given });
  } else if (lacksDocument) miss("attestation", "the document was not given");

  if (wantsWitness) {
    const witness = await askWitness(client, core);
    if (typeof witness === "string") miss("witness", witness);
    else evidence.push(witness.evidence);
  }
  if (evidence.length === 0) return { receipt, appended: [], missing };
  const sealed = appendEvidence(receipt, ...evidence);
  const appended = evidence.map(({ type }) => type);
  await requireHolding(sealed, pins, appended);
  return { receipt: sealed, appended, missing };
}

/** Proof and page, which the node gave. A document is the one that the core names, whatever it is worth. */
async function requireHolding(
  receipt: Receipt,
  pins: Pins,
  appended: readonly Evidence["type"][],
): Promise<void> {
  const lines = await verify(receipt, { pins });
  const wrong = lines.find(
    ({ check, status }) =>
      status === "refuted" && check !== "attestation" && appended.some((type) => type === check),
  );
  if (wrong !== undefined) throw sealError("refuted", `${wrong.check}: ${wrong.detail}`);
}

const sealError = (code: string, message: string): BaseError =>
  new BaseError({ code: `seal.${code}`, message });
