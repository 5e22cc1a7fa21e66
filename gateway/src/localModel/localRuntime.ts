import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { StartError } from "../gatewayError.ts";
import { hasLocalModel, modelPath, RUNTIME } from "./localModel.ts";

/** A turn of a conversation, as the runtime takes it. */
export type Turn =
  | { type: "system"; text: string }
  | { type: "user"; text: string }
  | { type: "model"; response: string[] };

/** How an answer is made. */
export type Sampling = {
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  seed?: number | undefined;
  customStopTriggers?: string[] | undefined;
  signal: AbortSignal;
  onTextChunk: (text: string) => void;
};

type StopReason = string;
type Sequence = {
  clearHistory(): Promise<void>;
  tokenMeter: { getState(): { usedInputTokens: number; usedOutputTokens: number } };
};
type Session = {
  setChatHistory(history: readonly Turn[]): void;
  promptWithMeta(text: string, options: Sampling): Promise<{ stopReason: StopReason }>;
};
type Completion = {
  generateCompletionWithMeta(
    text: string,
    options: Sampling,
  ): Promise<{ metadata: { stopReason: StopReason } }>;
};

/** What of the runtime is used here. It is no dependency, so that its own types are not there. */
type Runtime = {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence }>;
    }>;
    dispose(): Promise<void>;
  }>;
  LlamaChatSession: new (options: {
    contextSequence: Sequence;
    autoDisposeSequence: boolean;
  }) => Session;
  LlamaCompletion: new (options: {
    contextSequence: Sequence;
    autoDisposeSequence: boolean;
  }) => Completion;
};

/** What an answer took, and why it ended. */
export type Made = { finishReason: "stop" | "length"; promptTokens: number; outputTokens: number };

/** Tokens of prompt and answer together. */
const CONTEXT_TOKENS = 2_048;
/** Several would spin while they wait for each other, which a machine that does other work does not bear. */
const THREADS = 1;

/** The model in memory, which makes one answer after another. */
export class LocalRuntime {
  readonly #runtime: Runtime;
  readonly #sequence: Sequence;

  private constructor(runtime: Runtime, sequence: Sequence) {
    this.#runtime = runtime;
    this.#sequence = sequence;
  }

  /** Loads it. @throws StartError where it has not been fetched, or does not run here */
  static async open(folder: string): Promise<LocalRuntime> {
    if (!hasLocalModel(folder)) {
      const message = `HACA_GATEWAY_LOCAL_MODEL: ${folder}: has no model: npm run gateway -- local-model fetches it`;
      throw new StartError({ code: "localModel.absent", message });
    }
    try {
      const resolved = createRequire(join(folder, "package.json")).resolve(RUNTIME.name);
      const runtime = (await import(pathToFileURL(resolved).href)) as Runtime;
      // Nothing is built or fetched while it starts.
      const llama = await runtime.getLlama({ gpu: false, build: "never", logLevel: "error" });
      const model = await llama.loadModel({ modelPath: modelPath(folder) });
      const context = await model.createContext({
        ...{ contextSize: { max: CONTEXT_TOKENS }, threads: THREADS },
      });
      return new LocalRuntime(runtime, context.getSequence());
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `HACA_GATEWAY_LOCAL_MODEL: ${folder}: does not run here: ${reason}`;
      throw new StartError({ code: "localModel.doesNotRun", message, cause });
    }
  }

  /** Answers the last of the turns, which is the user's. */
  async chat(turns: readonly Turn[], last: string, sampling: Sampling): Promise<Made> {
    const session = new this.#runtime.LlamaChatSession({
      ...{ contextSequence: this.#sequence, autoDisposeSequence: false },
    });
    session.setChatHistory(turns);
    return await this.#make(async () => (await session.promptWithMeta(last, sampling)).stopReason);
  }

  /** Goes on with a text. */
  async complete(text: string, sampling: Sampling): Promise<Made> {
    const completion = new this.#runtime.LlamaCompletion({
      ...{ contextSequence: this.#sequence, autoDisposeSequence: false },
    });
    return await this.#make(
      async () => (await completion.generateCompletionWithMeta(text, sampling)).metadata.stopReason,
    );
  }

  async #make(run: () => Promise<StopReason>): Promise<Made> {
    // Nothing of the answer before is left.
    await this.#sequence.clearHistory();
    const before = this.#sequence.tokenMeter.getState();
    const stopReason = await run();
    const after = this.#sequence.tokenMeter.getState();
    return {
      finishReason: stopReason === "maxTokens" ? "length" : "stop",
      promptTokens: after.usedInputTokens - before.usedInputTokens,
      outputTokens: after.usedOutputTokens - before.usedOutputTokens,
    };
  }
}
