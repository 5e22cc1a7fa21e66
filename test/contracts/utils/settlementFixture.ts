import {
  contextOf,
  hashWords,
  INFERENCE_RESULT_TYPES,
  type InferenceResult,
  settlementDomain,
} from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import type { TensorLayout } from "@haca/protocol/packedWords";
import { encodeRequestId } from "@haca/protocol/requestId";
import { concat, id, type Signer, type TypedDataDomain, ZeroAddress, ZeroHash } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { coreModule } from "../../../scripts/deploy/modules/core.ts";
import { deployOn } from "./deployOn.ts";
import { makeProof, makeTrapdoor, makeVerifyingKey, type Trapdoor } from "./groth16Simulator.ts";
import { scalarsFrom } from "./randomScalars.ts";

export const SETTLEMENT_WINDOW = 7n * 24n * 60n * 60n;

/** Two input words, one output word: the shape of the digits model, four public signals with the context. */
export const INPUT_LAYOUT: TensorLayout[] = [
  { count: 64, bits: 5, isSigned: false, scaleExponent: 0 },
];
/** The same, made longer: 248 bits of each word after the first two are one element. */
const inputLayout = (words: number): TensorLayout[] =>
  words === 2 ? INPUT_LAYOUT : [{ count: words, bits: 248, isSigned: false, scaleExponent: 0 }];
export const OUTPUT_LAYOUT: TensorLayout[] = [
  { count: 10, bits: 20, isSigned: true, scaleExponent: -8 },
  { count: 1, bits: 4, isSigned: false, scaleExponent: 0 },
];
export const SIGNAL_COUNT = 4;
const WORD_LIMIT = 1n << 248n;
/** Of `IModelRegistry.InputMode`. */
export const PACKED = 0;
export const COMMITTED = 1;
/** 64 bytes, as a key's transcript begins. */
export const CS_HASH = concat([id("circuit and powers of tau"), id("the other half")]);

export type VersionParams = {
  major: number;
  minor: number;
  modelHash: string;
  blobId: string;
  circuitHash: string;
  csHash: string;
  transcriptHash: string;
  verifyingKey: string;
  inputMode: number;
  inputLayout: TensorLayout[];
  outputLayout: TensorLayout[];
};

export function versionParams(parameters: {
  verifyingKey: string;
  overrides?: Partial<VersionParams>;
}): VersionParams {
  return {
    major: 1,
    minor: 0,
    modelHash: id("model"),
    blobId: id("blob"),
    circuitHash: id("circuit"),
    csHash: CS_HASH,
    transcriptHash: id("transcript"),
    verifyingKey: parameters.verifyingKey,
    inputMode: PACKED,
    inputLayout: INPUT_LAYOUT,
    outputLayout: OUTPUT_LAYOUT,
    ...parameters.overrides,
  };
}

/** Everything that one settlement needs; `words` and `proof` fit `result`. */
export type Inference = {
  result: InferenceResult;
  words: bigint[];
  proof: string;
};

/** The contracts with one published version, whose trapdoor the tests know. */
export async function deploySettlement(
  connection: NetworkConnection,
  shape: { inputWords?: number; inputMode?: number } = {},
) {
  const { ethers } = connection;
  const [administrator, owner, node, relayer, otherNode] = await ethers.getSigners();
  if (!administrator || !owner || !node || !relayer || !otherNode) throw new Error("no accounts");

  const deployed = await deployOn(connection, (module) =>
    coreModule(module, { settlementWindow: Number(SETTLEMENT_WINDOW) }),
  );
  const { address } = deployed.inferenceSettlement;
  const accessManager = await ethers.getContractAt("AccessManager", deployed.accessManager.address);
  const registry = await ethers.getContractAt("ModelRegistry", deployed.modelRegistry.address);
  const settlement = await ethers.getContractAt("InferenceSettlement", address);
  const { inputMode = PACKED, inputWords = 2 } = shape;
  const inputWordCount = inputMode === COMMITTED ? 1 : inputWords;
  const signalCount = SIGNAL_COUNT - 2 + inputWordCount;
  const trapdoor = makeTrapdoor({ signalCount, random: scalarsFrom("key") });
  const verifyingKey = makeVerifyingKey(trapdoor);
  const modelId = computeModelId({ owner: owner.address, slug: "digits" });
  const versionId = computeVersionId({ modelId, major: 1, minor: 0 });
  await registry.connect(owner).registerModel("digits");
  await registry.connect(owner).publishVersion(
    modelId,
    versionParams({
      ...{ verifyingKey, overrides: { inputMode, inputLayout: inputLayout(inputWords) } },
    }),
  );
  const domain = settlementDomain({
    chainId: (await ethers.provider.getNetwork()).chainId,
    settlement: await settlement.getAddress(),
  });
  return {
    ...{ connection, ethers, administrator, owner, node, relayer, otherNode },
    ...{ accessManager, registry, settlement, domain },
    ...{ trapdoor, verifyingKey, modelId, versionId, inputWordCount },
  };
}
export type SettlementFixture = Awaited<ReturnType<typeof deploySettlement>>;

/** Words below 2^248 that look like real ones: random bits. */
export function randomWords(parameters: { seed: string; count: number }): bigint[] {
  const random = scalarsFrom(`words ${parameters.seed}`);
  return Array.from({ length: parameters.count }, () => random() % WORD_LIMIT);
}

/** An honest inference of `node` at `timestamp`, proven with the trapdoor. */
export function makeInference(parameters: {
  domain: TypedDataDomain;
  trapdoor: Trapdoor;
  versionId: string;
  node: string;
  nonce: bigint;
  timestamp: bigint;
  inputWordCount?: number;
  /** default: random ones below 2^248 */
  words?: bigint[];
  overrides?: Partial<InferenceResult>;
}): Inference {
  const { domain, trapdoor, versionId, node, nonce, timestamp } = parameters;
  const count = trapdoor.ic.length - 2;
  const words = parameters.words ?? randomWords({ seed: `${node} ${nonce}`, count });
  const inputWordCount = parameters.inputWordCount ?? 2;
  const result: InferenceResult = {
    modelVersion: versionId,
    inputHash: hashWords(words.slice(0, inputWordCount)),
    outputHash: hashWords(words.slice(inputWordCount)),
    requester: ZeroAddress,
    requestId: encodeRequestId({ node, nonce }),
    price: 0n,
    timestamp,
    teeId: ZeroHash,
    ...parameters.overrides,
  };
  return { result, words, proof: prove({ domain, trapdoor, result, words }) };
}

/** A proof for `result` and `words`, true or not. */
export function prove(parameters: {
  domain: TypedDataDomain;
  trapdoor: Trapdoor;
  result: InferenceResult;
  words: readonly bigint[];
  seed?: string;
}): string {
  const { domain, trapdoor, result, words } = parameters;
  const context = contextOf({ domain, result });
  const random = scalarsFrom(`proof ${context} ${parameters.seed ?? ""}`);
  return makeProof({ trapdoor, signals: [...words, context], a: random(), b: random() });
}

export async function latestTimestamp(fixture: SettlementFixture): Promise<bigint> {
  const block = await fixture.ethers.provider.getBlock("latest");
  if (block === null) throw new Error("no block");
  return BigInt(block.timestamp);
}

/** The node's signature over a result. */
export async function signResult(parameters: {
  signer: Signer;
  domain: TypedDataDomain;
  result: InferenceResult;
}): Promise<string> {
  return parameters.signer.signTypedData(
    parameters.domain,
    INFERENCE_RESULT_TYPES,
    parameters.result,
  );
}
