import type { LanguageModelV4CallOptions, SharedV4Warning } from "@ai-sdk/provider";
import type { ChatOptions } from "../../client/chat/chatOptions.ts";
import { requireKnown } from "../../client/optionError.ts";
import { messagesOf } from "./messagesOf.ts";

/** What `providerOptions.haca` may have: of the client's options those that the AI SDK has not. */
export type HacaProviderOptions = Pick<
  ChatOptions,
  "channel" | "idempotencyKey" | "nodes" | "parameters" | "policy" | "release" | "salt"
>;

const OPTIONS = ["channel", "idempotencyKey", "nodes", "parameters", "policy", "release", "salt"];

/** A call of the AI SDK as the client takes it. @throws BaseError `option.wrong` */
export function readCall(
  model: string,
  call: LanguageModelV4CallOptions,
): { asked: ChatOptions; warnings: SharedV4Warning[] } {
  const { haca = {} } = call.providerOptions ?? {};
  requireKnown(haca, OPTIONS);
  // What is wrong with their values is for the client to say.
  const { parameters, ...rest } = haca as HacaProviderOptions;
  const warnings: SharedV4Warning[] = [];
  const asked = {
    ...rest,
    ...{ model, messages: messagesOf(call.prompt) },
    parameters: { ...parametersOf(call, warnings), ...parameters },
    ...(call.abortSignal && { signal: call.abortSignal }),
  };
  return { asked, warnings };
}

/** What JSON leaves out is not sent. */
function parametersOf(
  call: LanguageModelV4CallOptions,
  warnings: SharedV4Warning[],
): Record<string, unknown> {
  if (call.topK !== undefined) warnings.push({ type: "unsupported", feature: "topK" });
  const { reasoning = "provider-default", stopSequences: stop = [] } = call;
  return {
    max_tokens: call.maxOutputTokens,
    ...{ temperature: call.temperature, top_p: call.topP, seed: call.seed },
    ...{ presence_penalty: call.presencePenalty, frequency_penalty: call.frequencyPenalty },
    stop: stop.length === 0 ? undefined : stop,
    reasoning_effort: reasoning === "provider-default" ? undefined : reasoning,
    response_format: formatOf(call),
    ...toolsOf(call, warnings),
  };
}

function formatOf({ responseFormat }: LanguageModelV4CallOptions): object | undefined {
  if (responseFormat?.type !== "json") return undefined;
  const { description, name = "response", schema } = responseFormat;
  if (schema === undefined) return { type: "json_object" };
  return { type: "json_schema", json_schema: { name, description, schema } };
}

function toolsOf(
  { toolChoice, tools = [] }: LanguageModelV4CallOptions,
  warnings: SharedV4Warning[],
): Record<string, unknown> {
  const functions = tools.flatMap((tool) => {
    if (tool.type !== "function") {
      warnings.push({ type: "unsupported", feature: `the tool ${tool.id}` });
      return [];
    }
    const { description, inputSchema: parameters, name, strict } = tool;
    return [{ type: "function", function: { name, description, parameters, strict } }];
  });
  if (functions.length === 0) return {};
  const choice =
    toolChoice?.type === "tool"
      ? { type: "function", function: { name: toolChoice.toolName } }
      : toolChoice?.type;
  return { tools: functions, tool_choice: choice };
}
