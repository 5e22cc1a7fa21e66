import type { TensorLayout } from "@haca/protocol/packedWords";
import type { RegisteredInputMode } from "@haca/protocol/registeredInputMode";
import { keccak, lengthOf, wordOf } from "../bytes.ts";
import { DEPRECATED, PUBLISHED } from "../checks/ofChain.ts";
import { encode, versionOf } from "./contractReads.ts";
import type { Chain } from "./openChain.ts";
import { inputModeIn, layoutsHashOf, layoutsIn, modelAt } from "./registeredModel.ts";
import { Words, wrongAnswer } from "./words.ts";

/** A version as people look at it, proved or not. */
export type ListedVersion = {
  version: string;
  /** `major.minor` */
  number: string;
  status: "published" | "deprecated";
  /** `zkml`: answers are proved by Groth16; `manifest`: an enclave or nobody vouches for them */
  kind: "zkml" | "manifest";
  publishedAt: bigint;
  /** 0 while it is not */
  deprecatedAt: bigint;
  /** SHA-256 of the ONNX file, or of the manifest */
  modelHash: string;
  /** where the files are, as the blob store names them; zero: nowhere */
  blobId: string;
  circuitHash: string | null;
  /** BLAKE2b-512 with which the key's transcript begins; null: the publisher tells nothing of the key's making */
  csHash: string | null;
  /** SHA-256 of the key's transcript */
  transcriptHash: string | null;
  /** keccak256 */
  verifyingKeyHash: string | null;
  /** `committed`: the one input word is a commitment to the tensors of the input layout */
  inputMode: RegisteredInputMode;
  inputWords: number;
  outputWords: number;
  inputLayout: readonly TensorLayout[];
  outputLayout: readonly TensorLayout[];
  /** what pins hold of mode and layouts; null of a version that has none */
  layoutsHash: string | null;
};

/** A model with some of its versions, latest first. */
export type ListedModel = {
  modelId: string;
  owner: string;
  slug: string;
  createdAt: bigint;
  versionCount: number;
  versions: readonly ListedVersion[];
};

/** Versions that are shown of one model. */
const MAXIMUM_VERSIONS = 32;
const NO_HASH = `0x${"00".repeat(32)}`;

/** A model with its latest versions. @throws BaseError `chain.*`; `chain.refused` where there is none */
export async function listedModel(
  chain: Chain,
  registry: string,
  modelId: string,
): Promise<ListedModel> {
  const model = await modelAt(chain, registry, modelId);
  const first = Math.max(0, model.versionCount - MAXIMUM_VERSIONS);
  const data = encode(
    "listVersions(bytes32,uint256,uint256)",
    ...[modelId, wordOf(BigInt(first)), wordOf(BigInt(MAXIMUM_VERSIONS))],
  );
  const ids = idsIn(await chain.call(registry, data), MAXIMUM_VERSIONS);
  const versions = await Promise.all(ids.map((id) => listedVersion(chain, registry, id)));
  return {
    modelId,
    ...model,
    versions: versions.map(({ modelId: _of, ...rest }) => rest).reverse(),
  };
}

/** A version, and which model it is of. @throws BaseError `chain.*` */
export async function listedVersion(
  chain: Chain,
  registry: string,
  version: string,
): Promise<ListedVersion & { modelId: string }> {
  const view = new Words(await chain.call(registry, encode("getVersion(bytes32)", version)));
  const fields = view.at(0);
  const [circuitHash, status] = [view.word(fields, 8), BigInt(view.word(fields, 3))];
  if (status !== PUBLISHED && status !== DEPRECATED) throw wrongAnswer();
  const isProved = circuitHash !== NO_HASH;
  const csHash = view.bytes(view.at(fields, 9, fields));
  const transcriptHash = view.word(fields, 10);
  const isTold = transcriptHash !== NO_HASH;
  if (lengthOf(csHash) !== (isTold ? 64 : 0)) throw wrongAnswer();
  const layoutAt = (place: number) => layoutsIn(view, view.at(fields, place, fields));
  const layouts = {
    inputMode: inputModeIn(view, fields),
    ...{ inputLayout: layoutAt(14), outputLayout: layoutAt(15) },
  };
  return {
    ...{ version, modelId: view.word(fields), kind: isProved ? "zkml" : "manifest" },
    number: `${view.number(fields, 1)}.${view.number(fields, 2)}`,
    status: status === PUBLISHED ? "published" : "deprecated",
    publishedAt: BigInt(view.word(fields, 4)),
    deprecatedAt: BigInt(view.word(fields, 5)),
    ...{ modelHash: view.word(fields, 6), blobId: view.word(fields, 7) },
    circuitHash: isProved ? circuitHash : null,
    ...(isTold ? { csHash, transcriptHash } : { csHash: null, transcriptHash: null }),
    verifyingKeyHash: isProved ? await keyHashOf(chain, registry, version) : null,
    ...{ inputWords: view.number(fields, 12), outputWords: view.number(fields, 13) },
    ...{ ...layouts, layoutsHash: isProved ? layoutsHashOf(layouts) : null },
  };
}

async function keyHashOf(chain: Chain, registry: string, version: string): Promise<string> {
  const view = new Words(await chain.call(registry, encode("getVerifyingKey(bytes32)", version)));
  const key = view.bytes(view.at(0));
  if (lengthOf(key) === 0) throw wrongAnswer();
  return keccak(key);
}

/** Whether the registry knows a version. @throws BaseError `chain.*` */
export const hasVersion = async (
  chain: Chain,
  registry: string,
  version: string,
): Promise<boolean> => (await versionOf(chain, registry, version)).status !== 0n;

/** The latest models, latest first. @throws BaseError `chain.*` */
export async function latestModels(
  chain: Chain,
  registry: string,
  most: number,
): Promise<{ total: number; ids: readonly string[] }> {
  const total = new Words(await chain.call(registry, encode("modelCount()"))).number(0);
  const first = BigInt(Math.max(0, total - most));
  const data = encode("listModels(uint256,uint256)", wordOf(first), wordOf(BigInt(most)));
  return { total, ids: [...idsIn(await chain.call(registry, data), most)].reverse() };
}

function idsIn(answer: string, most: number): readonly string[] {
  const view = new Words(answer);
  const list = view.at(0);
  const count = view.number(list);
  if (count > most) throw wrongAnswer();
  return Array.from({ length: count }, (_, index) => view.word(list, 1 + index));
}
