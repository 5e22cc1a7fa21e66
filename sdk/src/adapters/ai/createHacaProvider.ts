import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  ProviderV4,
} from "@ai-sdk/provider";
import type { Haca } from "../../client/createHaca.ts";
import { optionError } from "../../client/optionError.ts";
import { partsOf, resultOf } from "./answerParts.ts";
import { readCall } from "./readCall.ts";

/** A provider of the AI SDK: called with a name of the pins, it gives the model. */
export type HacaProvider = ((modelId: string) => LanguageModelV4) & ProviderV4;

/**
 * Models for the AI SDK 7 whose answers are verified, or throw. Nothing is retried: what is thrown is none of the errors that the
 * AI SDK asks again after.
 */
export function createHacaProvider({
  haca,
}: {
  haca: Pick<Haca, "chat" | "streamChat">;
}): HacaProvider {
  const languageModel = (modelId: string): LanguageModelV4 => ({
    ...{ specificationVersion: "v4", provider: "haca", modelId },
    // What a prompt leads to the AI SDK fetches: nodes get the bytes.
    supportedUrls: {},
    async doGenerate(call) {
      const { asked, warnings } = readCall(modelId, call);
      return resultOf(await haca.chat(asked), warnings);
    },
    doStream: async (call) => ({ stream: streamOf(haca, modelId, call) }),
  });
  const none = (kind: string) => (modelId: string) => {
    throw optionError("model", `${modelId}: there are language models, and no models of ${kind}`);
  };
  return Object.assign((modelId: string) => languageModel(modelId), {
    ...({ specificationVersion: "v4", languageModel } as const),
    ...{ embeddingModel: none("embeddings"), imageModel: none("images") },
  });
}

/**
 * Empty until there is something to give: with `release: "signed"` until the whole answer is verified. Where it is not the stream
 * errors, which throws; a part that says so would not.
 */
function streamOf(
  haca: Pick<Haca, "streamChat">,
  modelId: string,
  call: LanguageModelV4CallOptions,
): ReadableStream<LanguageModelV4StreamPart> {
  const gone = new AbortController();
  const { abortSignal } = call;
  const signal =
    abortSignal === undefined ? gone.signal : AbortSignal.any([abortSignal, gone.signal]);
  let parts: AsyncGenerator<LanguageModelV4StreamPart> | undefined;
  const begin = () => {
    const { asked, warnings } = readCall(modelId, { ...call, abortSignal: signal });
    return partsOf(haca.streamChat(asked), { warnings, isRaw: call.includeRawChunks === true });
  };
  return new ReadableStream<LanguageModelV4StreamPart>({
    async pull(controller) {
      try {
        parts ??= begin();
        const { done, value } = await parts.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        // Nobody reads a stream that was cancelled.
        if (!gone.signal.aborted) controller.error(error);
      }
    },
    cancel: (reason) => gone.abort(reason),
  });
}
