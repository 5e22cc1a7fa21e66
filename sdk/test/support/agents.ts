import { withOtherEnd } from "../../../test/contracts/utils/otherEnd.ts";
import { type Answer, type ChatNode, DONE, type Lies } from "./chatNode.ts";

/** What agents' libraries are asked with, and how the node that they reach lies. */

export const QUESTION = "How warm is it in Paris?";
export const CALL_INPUT = { city: "Paris" };
export const TOOL_ANSWER = "21 degrees in Paris";
export const TOOL_SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" as const } },
  required: ["city"],
};

/** A model that wants the tool used first, and answers once it has what the tool says. */
export const callingFirst: ChatNode["says"] = ({ messages }) =>
  messages.at(-1)?.role === "tool"
    ? { message: { role: "assistant", content: "Warm." }, finish_reason: "stop" }
    : {
        message: {
          ...{ role: "assistant", content: null },
          tool_calls: [
            {
              ...{ id: "call_1", type: "function" },
              function: { name: "warmth", arguments: JSON.stringify(CALL_INPUT) },
            },
          ],
        },
        finish_reason: "tool_calls",
      };

const OTHER_SIGNATURE = (answer: Answer): Answer => ({
  ...answer,
  haca: { ...answer.haca, signature: withOtherEnd(String(answer.haca.signature)) },
});

/** Of each: its name, the lie, whether only streams have it, and the error's code. */
export const HOSTILE: readonly (readonly [string, Lies, { isOfStreams: boolean }, string])[] = [
  [
    "a stream that is cut off",
    { events: (events) => events.slice(0, -1) },
    { isOfStreams: true },
    "node.brokenOff",
  ],
  [
    "a stream without its signed frame",
    { events: (events) => [...events.slice(0, 2), DONE] },
    { isOfStreams: true },
    "format.malformed",
  ],
  [
    "a second final frame",
    { events: (events) => [...events.slice(0, 3), ...events.slice(2)] },
    { isOfStreams: true },
    "node.secondFinal",
  ],
  [
    "a final frame of other words",
    {
      events: (events) =>
        events.map((event) => event.replace('"delta":{}', '"delta":{"content":"!"}')),
    },
    { isOfStreams: true },
    "answer.notVerified",
  ],
  ["another signature", { answer: OTHER_SIGNATURE }, { isOfStreams: false }, "answer.notVerified"],
  [
    "a refusal",
    { instead: (response) => response.writeHead(500).end('{"error":{"message":"no"}}') },
    { isOfStreams: false },
    "node.refused",
  ],
];
