import { BaseError } from "@haca/protocol/baseError";
import type { CallToolResult } from "@modelcontextprotocol/server";
import type { Line } from "../../line.ts";
import { MEDIA_TYPE } from "../../receipt/receipt.ts";

/** An answer: what was said, the lines, and where its receipt is. */
export const resultOf = (parameters: {
  text: string;
  lines: readonly Line[];
  id?: string | null;
  structured: Record<string, unknown>;
}): CallToolResult => {
  const { id, lines, structured, text } = parameters;
  return {
    content: [
      { type: "text", text },
      ...(lines.length === 0 ? [] : [{ type: "text" as const, text: wordsOf(lines) }]),
      ...(id == null
        ? []
        : [
            {
              ...{ type: "resource_link" as const, uri: `haca://receipts/${id}` },
              ...{ name: `receipt ${id}`, mimeType: MEDIA_TYPE },
            },
          ]),
    ],
    structuredContent: { ...structured, lines },
  };
};

const wordsOf = (lines: readonly Line[]): string =>
  lines
    .map(({ check, detail, source, status }) => `${status} ${check} (${source}): ${detail}`)
    .join("\n");

/** Errors whose words are ours, of what the caller gave, and of endpoints and registries that the caller named. */
const OWN_WORDS = /^(?:option|input|model|wait|chain|haca)\./;

/**
 * A failure. Of what a node said there is the code and nothing else: its words would be unverified text, which a model might obey.
 */
export function failureOf(error: unknown): CallToolResult {
  const text = error instanceof BaseError ? wordsOn(error) : "mcp.failed: internal error";
  return { isError: true, content: [{ type: "text", text }] };
}

function wordsOn({ code, details, message }: BaseError): string {
  if (OWN_WORDS.test(code)) return `${code}: ${message}`;
  const { field, missing, status } = details;
  if (Array.isArray(missing)) return `${code}: not verified, for: ${missing.join(", ")}`;
  if (typeof field === "string") return `${code}: ${field}`;
  return typeof status === "number" ? `${code}: status ${status}` : code;
}
