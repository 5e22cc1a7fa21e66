import type { CallToolResult, McpServer, ServerContext } from "@modelcontextprotocol/server";
import { whatIsMissing } from "../../isVerified.ts";
import type { Line } from "../../line.ts";
import type { Receipt } from "../../receipt/receipt.ts";
import { verify } from "../../verify.ts";
import type { McpOptions } from "./mcpOptions.ts";
import type { Receipts } from "./receipts.ts";
import { failureOf, resultOf } from "./results.ts";
import * as schemas from "./schemas.ts";

/** What tools work with. */
type Context = McpOptions & { rpcs: readonly string[]; receipts: Receipts };

const READS = { readOnlyHint: true, openWorldHint: true };

/** Asks a language model. */
export function registerChat(server: McpServer, context: Context): void {
  server.registerTool(
    "chat",
    {
      description:
        "Asks a language model in an enclave. Gives an answer that is verified, or an error.",
      ...{ inputSchema: schemas.CHAT_INPUT, outputSchema: schemas.CHAT_OUTPUT },
    },
    answering(context, async ({ messages, model, parameters = {} }: schemas.ChatInput, signal) => {
      const reply = await context.haca.chat({ model, messages, parameters, signal });
      const { text } = reply;
      return await answerOf(context, { ...reply, text, structured: { text } });
    }),
  );
}

/** Asks a model whose answers are proved. */
export function registerInfer(server: McpServer, context: Context): void {
  server.registerTool(
    "infer",
    {
      description:
        "Asks a model whose answers are proved, and waits for the proof, which may take minutes. Gives an answer that is verified, " +
        "or an error.",
      ...{ inputSchema: schemas.INFER_INPUT, outputSchema: schemas.INFER_OUTPUT },
    },
    answering(context, async ({ input, model }: schemas.InferArguments, signal) => {
      const { outputs, ...rest } = await context.haca.infer({ model, input, signal });
      const text = outputs.map((tensor) => tensor.join(" ")).join("\n");
      return await answerOf(context, { ...rest, text, structured: { outputs } });
    }),
  );
}

/** Checks a receipt. */
export function registerVerify(server: McpServer, context: Context): void {
  server.registerTool(
    "verify_receipt",
    {
      description: "Checks a receipt of an answer: what is so, by what, as of when.",
      ...{ inputSchema: schemas.VERIFY_INPUT, outputSchema: schemas.VERIFY_OUTPUT },
      annotations: READS,
    },
    answering(context, async ({ receipt }: schemas.VerifyArguments) => {
      const { pins, policy, receipts, rpcs } = context;
      const lines = await verify(receipts.find(receipt), { pins, rpcs });
      const missing = whatIsMissing(lines, policy);
      const isVerified = missing.length === 0;
      const text = isVerified ? "verified" : `not verified, for: ${missing.join(", ")}`;
      return resultOf({ text, lines, structured: { isVerified, missing } });
    }),
  );
}

/** Waits for a receipt's result to be settled, or final. */
export function registerWait(server: McpServer, context: Context): void {
  server.registerTool(
    "wait",
    {
      description: "Waits until a receipt's result is settled, or final, on the chain.",
      ...{ inputSchema: schemas.WAIT_INPUT, outputSchema: schemas.WAIT_OUTPUT },
      annotations: READS,
    },
    answering(context, async (asked: schemas.WaitInput, signal) => {
      const { seconds = schemas.WAIT_SECONDS.usual, until = "final" } = asked;
      const late = AbortSignal.timeout(seconds * 1000);
      let waitingFor = "the first look";
      try {
        const line = await context.haca.wait(context.receipts.find(asked.receipt), until, {
          signal: AbortSignal.any([signal, late]),
          onProgress: ({ clock, detail }) => {
            waitingFor = `${clock}: ${detail}`;
          },
        });
        return waited([line], { text: until, isReached: true, waitingFor: null });
      } catch (error) {
        if (error !== late.reason) throw error;
        return waited([], { text: `not yet; ${waitingFor}`, isReached: false, waitingFor });
      }
    }),
  );
}

const waited = (
  lines: readonly Line[],
  { text, ...structured }: { text: string; isReached: boolean; waitingFor: string | null },
): CallToolResult => resultOf({ text, lines, structured });

/** A tool that fails with a code, and says to whom runs the server why. */
const answering =
  <Input>(
    { onError }: Context,
    answer: (input: Input, signal: AbortSignal) => Promise<CallToolResult>,
  ) =>
  async (input: Input, { mcpReq: { signal } }: ServerContext): Promise<CallToolResult> => {
    try {
      return await answer(input, signal);
    } catch (error) {
      // Who goes needs no reason.
      if (!signal.aborted) onError?.(error);
      return failureOf(error);
    }
  };

/** A verified answer, once its receipt is kept. */
async function answerOf(
  { keep, receipts }: Context,
  answer: {
    text: string;
    verification: string;
    lines: readonly Line[];
    node: string;
    receipt: Receipt | null;
    structured: Record<string, unknown>;
  },
): Promise<CallToolResult> {
  const { lines, node, receipt, structured, text, verification } = answer;
  if (receipt === null) throw new Error("an answer without a receipt is none");
  await keep?.(receipt);
  const id = receipts.keep(receipt);
  return resultOf({
    ...{ text, lines, id },
    structured: { ...structured, verification, node, receipt: id },
  });
}
