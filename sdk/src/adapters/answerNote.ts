import type { ChatReply } from "../client/chat/chatReply.ts";
import type { WitnessTaken } from "../client/takeWitness.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { receiptId } from "../typedData.ts";

/** What adapters say of an answer beside it. */
export type AnswerNote = {
  verification: ChatReply["verification"];
  /** host that answered */
  node: string;
  /** the receipt's identity */
  id: string | null;
  receipt: Receipt | null;
  /** where the client wants one */
  witness?: WitnessTaken;
};

/** What is known of an answer. */
export const noteOf = ({ node, receipt, verification, witness }: ChatReply): AnswerNote => ({
  ...{ verification, node, receipt },
  id: receipt === null ? null : receiptId(receipt.core),
  ...(witness === null ? {} : { witness }),
});

/** What a model wants called. */
export type WantedCall = { id: string; name: string; input: string };

/** The calls of tools in an answer's first choice; the input as the model wrote it, which need not be JSON. */
export function wantedCalls({ answer }: ChatReply): WantedCall[] {
  const calls = answer.choices[0]?.message.tool_calls;
  if (!Array.isArray(calls)) return [];
  return calls.map((call: unknown, index) => {
    const wanted = memberOf(call, "function");
    return {
      id: textIn(call, "id") || `call_${index}`,
      name: textIn(wanted, "name"),
      input: textIn(wanted, "arguments"),
    };
  });
}

/** A count that an answer has under these names. */
export function countIn(value: unknown, ...names: readonly string[]): number | undefined {
  const found = names.reduce(memberOf, value);
  return typeof found === "number" ? found : undefined;
}

/** A text that something has under this name; empty where it has none. */
export function textIn(value: unknown, name: string): string {
  const found = memberOf(value, name);
  return typeof found === "string" ? found : "";
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
