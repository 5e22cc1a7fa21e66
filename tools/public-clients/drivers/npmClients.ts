import { createRequire } from "node:module";
import { join } from "node:path";
import type { PublicClient } from "viem";
import type { PublicStack } from "../stack/publicStack.ts";
import { CLIENT_KEY } from "./askPython.ts";

/** What the TypeScript SDK gives for an answer, as far as it is looked at. */
export type TypescriptAnswer = {
  completionOutput?: string;
  chatOutput?: { content?: string | null; tool_calls?: unknown };
  finishReason?: string;
  usage?: unknown;
  teeSignature?: string;
  teeTimestamp?: number;
  teeId?: string;
  teeEndpoint?: string;
};

type Chunk = TypescriptAnswer & {
  choices: { delta: { content?: string }; finish_reason: string | null }[];
  isFinal: boolean;
};

/** The TypeScript SDK's client for language models. */
export type TypescriptClient = {
  llm: {
    chat(parameters: Record<string, unknown> & { stream: true }): AsyncIterable<Chunk>;
    chat(parameters: object): Promise<TypescriptAnswer>;
    completion(parameters: object): Promise<TypescriptAnswer>;
  };
  close(): Promise<void>;
};

/** @param module file of the SDK */
export function openTypescript(module: string, stack: PublicStack): TypescriptClient {
  const { Client } = createRequire(module)(module) as {
    Client: new (settings: object) => TypescriptClient;
  };
  const teeRegistryAddress = stack.tee.registry.target;
  return new Client({
    ...{ privateKey: CLIENT_KEY, rpcUrl: stack.tee.chain.url, teeRegistryAddress },
  });
}

export type BatchItem = {
  tee_id: string;
  input_hash: string;
  output_hash: string;
  tee_signature: string;
  tee_timestamp: string;
};

/** The npm package with which sites verify settled answers. */
export type BatchVerifier = {
  fetchWalrusBatchTree(
    blobId: string,
    options: { baseUrl: string },
  ): Promise<{ merkleRoot: string; items: BatchItem[] }>;
  verifyWalrusBatchTreeSignatures(parameters: {
    blobId: string;
    aggregatorUrl: string;
    verifierContractAddress: string;
    publicClient: PublicClient;
  }): Promise<{ results: { item: BatchItem; verified: boolean | null; error?: string }[] }>;
  verifyWalrusBatchTreeItemSignature(parameters: {
    item: BatchItem;
    verifierContractAddress: string;
    publicClient: PublicClient;
  }): Promise<boolean>;
};

/** @param folder where it is installed */
export const openBatchVerifier = (folder: string): BatchVerifier =>
  createRequire(join(folder, "package.json"))("og-fe-tee-verification") as BatchVerifier;
