import { Interface } from "ethers";
import { z } from "zod";
import { abis } from "../generated/abi.ts";
import { addressBookPath, readAddressBook } from "./addressBook.ts";
import { BaseError } from "./baseError.ts";
import { explainRevert, revertData } from "./explainRevert.ts";
import type { TensorLayout } from "./packedWords.ts";
import { type RegisteredInputMode, registeredInputMode } from "./registeredInputMode.ts";
import { tensorLayoutSchema } from "./tensorLayout.ts";

const ABI = new Interface(abis.ModelRegistry);
const TIMEOUT_MS = 30_000;
const STATUSES = ["unknown", "published", "deprecated"] as const;

/** A version as its chain has it; hashes are 0x and hex. */
export type RegisteredVersion = {
  chainId: number;
  versionId: string;
  status: (typeof STATUSES)[number];
  modelHash: string;
  /** where its files are stored, zero if nowhere; `npm run models` names the manifest's SHA-256 if it is told nothing else */
  blobId: string;
  circuitHash: string;
  /** with which its key's transcript begins, 64 bytes; 0x if it tells none */
  csHash: string;
  /** SHA-256 of the transcript; zero if it tells none */
  transcriptHash: string;
  inputMode: RegisteredInputMode;
  inputLayout: TensorLayout[];
  outputLayout: TensorLayout[];
  /** as `encodeVerifyingKey` writes it; 0x without a circuit */
  verifyingKey: string;
};

/**
 * Reads a version from the registry of the chain that an endpoint is of. What is not named is the address book's.
 *
 * Throws `chain.unreachable`, `chain.versionUnknown`, `chain.noRegistry` and those of `readAddressBook`. None of them shows
 * more of the endpoint than its host: the rest may be a key.
 */
export async function readRegisteredVersion(parameters: {
  /** URL of a JSON-RPC endpoint */
  rpc: string;
  /** name of a model in the address book, of which the latest entry is taken */
  slug: string;
  registry?: string;
  versionId?: string;
}): Promise<RegisteredVersion> {
  const { rpc } = parameters;
  const chainId = Number(await request({ rpc, method: "eth_chainId", values: [] }));
  if (!Number.isSafeInteger(chainId)) throw unreachable(rpc, "eth_chainId", "gives no number");
  const { registry, versionId } = locate({ ...parameters, chainId });
  const call = async (name: "getVersion" | "getVerifyingKey") => {
    const data = ABI.encodeFunctionData(name, [versionId]);
    const result = await request({
      ...{ rpc, method: "eth_call", values: [{ to: registry, data }, "latest"] },
    });
    try {
      return ABI.decodeFunctionResult(name, result as string);
    } catch (cause) {
      const message = `there is no model registry at ${registry} of chain ${chainId}`;
      throw new BaseError({ code: "chain.noRegistry", message, cause });
    }
  };
  const [view] = await call("getVersion");
  const [verifyingKey] = await call("getVerifyingKey");
  return {
    ...{ chainId, versionId, verifyingKey },
    status: STATUSES[Number(view.status)] ?? "unknown",
    ...{ modelHash: view.modelHash, blobId: view.blobId, circuitHash: view.circuitHash },
    ...{ csHash: view.csHash, transcriptHash: view.transcriptHash },
    inputMode: registeredInputMode(Number(view.inputMode)),
    inputLayout: view.inputLayout.map(layoutOf),
    outputLayout: view.outputLayout.map(layoutOf),
  };
}

function locate(parameters: {
  slug: string;
  chainId: number;
  registry?: string;
  versionId?: string;
}): { registry: string; versionId: string } {
  const { slug, chainId, registry, versionId } = parameters;
  if (registry !== undefined && versionId !== undefined) return { registry, versionId };
  const path = addressBookPath(chainId);
  const book = readAddressBook(path, chainId);
  const entry = book.models.findLast((model) => model.slug === slug);
  const found = versionId ?? entry?.versionId;
  if (found === undefined) {
    const message = `${path} has no model ${slug}: name the version by its id`;
    throw new BaseError({ code: "chain.versionUnknown", message });
  }
  return { registry: registry ?? book.contracts.ModelRegistry.address, versionId: found };
}

const layoutOf = (layout: Record<keyof TensorLayout, unknown>): TensorLayout =>
  tensorLayoutSchema.parse({
    count: Number(layout.count),
    bits: Number(layout.bits),
    isSigned: layout.isSigned,
    scaleExponent: Number(layout.scaleExponent),
  });

const answerSchema = z.object({ result: z.unknown().optional(), error: z.unknown().optional() });

async function request(parameters: {
  rpc: string;
  method: string;
  values: readonly unknown[];
}): Promise<unknown> {
  const { rpc, method, values } = parameters;
  const fail = (reason: string, cause?: unknown) => unreachable(rpc, method, reason, cause);
  let answer: z.infer<typeof answerSchema>;
  try {
    const response = await fetch(rpc, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: values }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    answer = answerSchema.parse(await response.json());
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const code = (inner as { code?: unknown }).code;
    throw fail(typeof code === "string" ? code : "its answer is none of JSON-RPC", cause);
  }
  if (answer.error === undefined || answer.error === null) return answer.result;
  const data = revertData(answer.error);
  if (data === undefined) throw fail(errorText(answer.error));
  const { name, message } = explainRevert(data);
  const isUnknown = name === "ModelRegistry_VersionUnknown";
  throw new BaseError({ code: isUnknown ? "chain.versionUnknown" : "chain.reverted", message });
}

const unreachable = (rpc: string, method: string, reason: string, cause?: unknown): BaseError =>
  new BaseError({
    code: "chain.unreachable",
    message: `${hostOf(rpc)} does not answer ${method}: ${reason}`,
    cause,
  });

function errorText(error: unknown): string {
  const { message } = error as { message?: unknown };
  const text = typeof message === "string" ? message : "an error without words";
  return text.replaceAll(/\p{C}/gu, "?").slice(0, 200);
}

function hostOf(rpc: string): string {
  try {
    return new URL(rpc).host;
  } catch (cause) {
    throw new BaseError({ code: "chain.unreachable", message: "--rpc is no URL", cause });
  }
}
