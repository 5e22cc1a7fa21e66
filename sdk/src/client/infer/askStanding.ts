import { BaseError } from "@haca/protocol/baseError";
import { isOfEnclave } from "../../checks/ofMessage.ts";
import { fieldsOf, lowerCase, readText } from "../../receipt/answerReaders.ts";
import { list } from "../../receipt/readers.ts";
import type { PageEvidence, ReceiptCore, ReceiptPageHeader } from "../../receipt/receipt.ts";
import { oneLine } from "../../strangersWords.ts";
import { askNode, askNodeJson, type NodeQuestion, parsed, refusalOf } from "../askNode.ts";
import type { Client } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import type { Send } from "../send.ts";

/** How a request stands at a node, in its words: nothing of it was looked at but its form. */
export type Standing = { state: string; failure: string | null; proof: string | null };

type Question = {
  client: Pick<Client, "limits">;
  /** which answered */
  node: URL;
  core: ReceiptCore;
  signal: AbortSignal | undefined;
  /** over which connections; any if left out */
  send?: Send | undefined;
};

const HEADER_FIELDS: readonly (keyof ReceiptPageHeader)[] = [
  ...(["kind", "teeId", "ledgerPage", "bitmap", "root", "blobId", "proposer", "fee"] as const),
];

/** Asks how a request stands, and for its proof. @throws BaseError `node.*`, the reason of `signal` */
export async function askStanding(question: Question): Promise<Standing> {
  const answer = await askNodeJson(questionAt(question, ""));
  return readAs(question.node, () => {
    const { failure, proof, state } = fieldsOf(answer, "inference");
    return {
      state: oneLine(lowerCase(state, "inference.state")),
      failure: typeof failure === "string" ? oneLine(failure) : null,
      proof: (proof ?? null) === null ? null : lowerCase(proof, "inference.proof"),
    };
  });
}

/** Asks for the page that a result is in; null where it is in none. @throws BaseError `node.*`, the reason of `signal` */
export async function askPage(question: Question): Promise<PageEvidence | null> {
  const { host } = question.node;
  const answer = await askNode(questionAt(question, "/page"));
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw refusalOf(answer, host);
  return readAs(question.node, () => pageOf(parsed(answer.text, host)));
}

const questionAt = (
  { client, core, node, send, signal }: Question,
  below: string,
): NodeQuestion => ({
  ...{ node, signal, send },
  path: `/v1/${isOfEnclave(core) ? "results" : "inferences"}/${core.message.requestId}${below}`,
  limits: { bytes: client.limits.answerBytes, ms: client.limits.askMs },
});

function readAs<T>(node: URL, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const words = cause instanceof BaseError ? cause.message : "something else";
    throw nodeError("malformed", `${node.host} does not say how a request stands: ${words}`, {
      cause,
    });
  }
}

function pageOf(value: unknown): PageEvidence {
  const path = "page";
  const page = fieldsOf(value, path);
  const header = fieldsOf(page.header, `${path}.header`);
  const headerFields = HEADER_FIELDS.map((name) => [
    name,
    lowerCase(header[name], `${path}.header.${name}`),
  ]);
  return {
    type: "page",
    pageSettlement: lowerCase(page.pageSettlement, `${path}.pageSettlement`),
    pageId: lowerCase(page.pageId, `${path}.pageId`),
    header: Object.fromEntries(headerFields) as ReceiptPageHeader,
    path: list(readText, 8, 8)(page.path, `${path}.path`),
  };
}
