import { BaseError } from "@haca/protocol/baseError";
import { whatIsMissing } from "../../isVerified.ts";
import type { Line } from "../../line.ts";
import { appendEvidence } from "../../receipt/makeReceipt.ts";
import type { Receipt } from "../../receipt/receipt.ts";
import { receiptOfInference } from "../../receipt/receiptOfInference.ts";
import { verify } from "../../verify.ts";
import { askNodeJson } from "../askNode.ts";
import { askNodes } from "../askNodes.ts";
import type { Client } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import { blockHashesOf, type WitnessTaken, withWitness } from "../takeWitness.ts";
import { askProof } from "./askProof.ts";
import { type InferOptions, type InferRequest, readInfer } from "./inferOptions.ts";
import { type ResolvedModel, resolveModel } from "./resolveModel.ts";
import {
  decodeOutput,
  type PackedInput,
  packInput,
  type ShownInput,
  showInput,
} from "./tensors.ts";

/** An answer of a model with packed words. */
export type Inference = {
  /** `off`: the caller did not want to wait for the proof; everything else was looked at */
  verification: "verified" | "off";
  /** the output's tensors in their order, decoded from the words that were signed by the layout in the registry */
  outputs: readonly (readonly number[])[];
  receipt: Receipt;
  /** of a salted input, which the receipt has not: whoever has both can show what the commitment is to; null of others */
  salt: string | null;
  lines: readonly Line[];
  /** host that answered */
  node: string;
  /** null where none was wanted */
  witness: WitnessTaken | null;
};

/** A node's clock may be behind ours by as much, in seconds. */
const MAXIMUM_CLOCK_SKEW = 60;
const INFERENCES = "/v1/inferences";

/**
 * Asks a node for an answer of a model, and for its proof; what is not verified throws. Layouts and verifying key are the
 * registry's, the input's words our own, and nothing of the answer is taken but what was signed.
 * @throws BaseError `option.wrong`, `input.*`, `model.*`, `chain.*`, `node.*`; `answer.notVerified` with the lines that are
 *   missing, `answer.unexpected` with the field, `answer.noProof`; the reason of `signal`
 */
export async function infer(client: Client, options: InferOptions): Promise<Inference> {
  const request = readInfer(client, options);
  const resolved = await resolveModel(client, request.model);
  const input = packInput(resolved.model, request.input, request.hiding);
  const { maxPrice, policy, signal } = request;
  return await askNodes({
    ...{ client, answers: "infer", nodes: options.nodes, maxPrice, policy, signal },
    ask: (node) => askOne({ client, node, request, resolved, input }),
  });
}

type Question = {
  client: Client;
  node: URL;
  request: InferRequest;
  resolved: ResolvedModel;
  input: PackedInput;
  shown: ShownInput;
};

async function askOne(asked: Omit<Question, "shown">): Promise<Inference> {
  // Each node has a commitment of its own: two results of one would be known to be of the same input.
  const question = { ...asked, shown: showInput(asked.input, asked.request.hiding) };
  const { client, node, request, resolved } = question;
  const { salt } = question.shown;
  if (salt !== null) request.onSalt?.(salt);
  const { isUnproved, policy } = request;
  const askedAt = Math.floor(Date.now() / 1000);
  const answered = await askAnswer(question);
  requireAsAsked(answered, question, askedAt);
  const outputs = decodeSigned(answered, question);
  const { name: model, pins } = resolved;
  const look = async (
    receipt: Receipt,
    isProofLeft: boolean,
    witness: WitnessTaken | null = null,
  ): Promise<readonly Line[]> => {
    const blockHashes = blockHashesOf(witness);
    const lines = await verify(receipt, { pins, rpcs: client.rpcs, blockHashes, model });
    const missing = whatIsMissing(lines, policy).filter(
      (check) => !(isProofLeft && check === "proof"),
    );
    if (missing.length === 0) return lines;
    const said = lines.find(({ check, status }) => check === missing[0] && status !== "asserted");
    throw new BaseError({
      code: "answer.notVerified",
      message: `the answer of ${node.host} is not verified, for: ${missing.join(", ")} (${said?.detail ?? "nothing says so"})`,
      details: { missing, lines, receipt },
    });
  };
  // Nobody waits for the proof of what is wrong without one.
  const early = await look(answered, true);
  const proven = isUnproved ? answered : await proved();
  // The chain is asked last: a witness is of when the answer is given.
  const { receipt, witness } = await withWitness({ ...client, pins }, proven, request);
  const isSame = receipt === answered;
  const lines = isSame ? early : await look(receipt, isUnproved, witness);
  const verification = isUnproved ? "off" : "verified";
  return { verification, outputs, node: node.host, salt, receipt, witness, lines };

  async function proved(): Promise<Receipt> {
    const proof = await askProof({ client, node, core: answered.core, request });
    return withProof(answered, { proof, verifyingKey: resolved.model.verifyingKey }, node);
  }
}

async function askAnswer({
  client,
  input,
  node,
  request,
  resolved,
  shown,
}: Question): Promise<Receipt> {
  const { number, slug } = resolved.model;
  const { requester, signal } = request;
  const salt = shown.salt === null ? {} : { salt: shown.salt };
  const body = { model: slug, version: number, input: input.values, requester, ...salt };
  const inference = await askNodeJson({
    ...{ node, path: INFERENCES, json: JSON.stringify(body), signal },
    limits: { bytes: client.limits.answerBytes, ms: client.limits.answerMs },
  });
  return malformedAs(node, () => receiptOfInference({ inference }));
}

/** What a node signed, and nobody asked for. */
function requireAsAsked({ core }: Receipt, question: Question, askedAt: number): void {
  const { input, message } = core;
  const { node, request, resolved } = question;
  const unexpected = (field: string, what: string): BaseError =>
    new BaseError({
      ...{ code: "answer.unexpected", details: { field } },
      message: `${node.host} ${what}`,
    });
  const words = input?.type === "words" ? input.words : [];
  if (words.join() !== question.shown.words.join()) {
    throw unexpected("input", "answers to another input than the one that was sent");
  }
  if (message.modelVersion !== resolved.model.version) {
    throw unexpected("modelVersion", "answers by another version of a model");
  }
  if (message.requester !== request.requester) {
    throw unexpected("requester", `answers for ${message.requester}, who did not ask`);
  }
  if (BigInt(message.price) > request.maxPrice) {
    throw unexpected("price", `charges ${message.price}, more than ${request.maxPrice}`);
  }
  if (Number(message.timestamp) < askedAt - MAXIMUM_CLOCK_SKEW) {
    throw unexpected("timestamp", "dates its answer before the question");
  }
}

/** The words that the receipt has; whether they are what was signed `verify` says. */
function decodeSigned({ core }: Receipt, { node, resolved }: Question): Inference["outputs"] {
  const { output } = core;
  return malformedAs(node, () =>
    decodeOutput(resolved.model, output?.type === "words" ? output.words : []),
  );
}

const withProof = (
  receipt: Receipt,
  evidence: { proof: string; verifyingKey: string },
  node: URL,
): Receipt => malformedAs(node, () => appendEvidence(receipt, { type: "proof", ...evidence }));

/** What has not the form of an answer, as this node's. */
function malformedAs<T>(node: URL, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const words = cause instanceof BaseError ? cause.message : "no answer";
    throw nodeError("malformed", `${node.host} answers something that is no inference: ${words}`, {
      cause,
    });
  }
}
