import { BaseError } from "@haca/protocol/baseError";
import { isOfEnclave } from "../../checks/ofMessage.ts";
import { fieldsOf, lowerCase, readText } from "../../receipt/answerReaders.ts";
import { list } from "../../receipt/readers.ts";
import type { PageEvidence, ReceiptCore, ReceiptPageHeader } from "../../receipt/receipt.ts";
import { oneLine } from "../../strangersWords.ts";
import { askNodeJson } from "../askNode.ts";
import type { Client } from "../client.ts";
import { nodeError } from "../nodeError.ts";

/** How a request stands at a node, in its words: nothing of it was looked at but its form. */
export type FoundEvidence = {
  state: string;
  failure: string | null;
  proof: string | null;
  page: PageEvidence | null;
};

const HEADER_FIELDS: readonly (keyof ReceiptPageHeader)[] = [
  ...(["kind", "teeId", "ledgerPage", "bitmap", "root", "blobId", "proposer", "fee"] as const),
];

/** Asks the node that answered what there is of a request by now. @throws BaseError `node.*`, the reason of `signal` */
export async function lookForEvidence(parameters: {
  client: Pick<Client, "limits">;
  node: URL;
  core: ReceiptCore;
  signal: AbortSignal | undefined;
}): Promise<FoundEvidence> {
  const { client, core, node, signal } = parameters;
  const kind = isOfEnclave(core) ? "results" : "inferences";
  const answer = await askNodeJson({
    ...{ node, path: `/v1/${kind}/${core.message.requestId}`, signal },
    limits: { bytes: client.limits.answerBytes, ms: client.limits.askMs },
  });
  try {
    const { failure, page, proof, state } = fieldsOf(answer, "inference");
    return {
      state: oneLine(lowerCase(state, "inference.state")),
      failure: typeof failure === "string" ? oneLine(failure) : null,
      proof: (proof ?? null) === null ? null : lowerCase(proof, "inference.proof"),
      page: (page ?? null) === null ? null : pageOf(page),
    };
  } catch (cause) {
    const words = cause instanceof BaseError ? cause.message : "no inference";
    throw nodeError("malformed", `${node.host} does not say how a request stands: ${words}`, {
      cause,
    });
  }
}

function pageOf(value: unknown): PageEvidence {
  const path = "inference.page";
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
