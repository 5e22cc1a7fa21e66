import { hashWords } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { packWords, type TensorLayout } from "@haca/protocol/packedWords";
import { encodeRequestId } from "@haca/protocol/requestId";
import { type Hex, keccak256, toHex, zeroHash } from "viem";

export const OWNER = "0x1111111111111111111111111111111111111111";
export const NODE = "0x2222222222222222222222222222222222222222";
export const REQUESTER = "0x3333333333333333333333333333333333333333";

/** The protocol package writes hex as plain strings. */
const hex = (value: string) => value as Hex;
const hash = (text: string) => keccak256(toHex(text));

export const STRAY_BIT = 1n << 200n;

/** Four input pixels of 5 bits; two signed scores of 20 bits, then a label of 4 bits. */
export const INPUT_LAYOUT: TensorLayout[] = [
  { count: 4, bits: 5, isSigned: false, scaleExponent: 0 },
];
export const OUTPUT_LAYOUT: TensorLayout[] = [
  { count: 2, bits: 20, isSigned: true, scaleExponent: -8 },
  { count: 1, bits: 4, isSigned: false, scaleExponent: 0 },
];

export const MODEL_ID = hex(computeModelId({ owner: OWNER, slug: "digits" }));
export const versionId = (major: number, minor: number) =>
  hex(computeVersionId({ modelId: MODEL_ID, major, minor }));

/** Arguments of `ModelRegistered`. */
export const modelRegistered = { modelId: MODEL_ID, owner: OWNER, slug: "digits" };

/** 64 bytes, as a key's transcript begins. */
export const CS_HASH: Hex = `0x${"c5".repeat(64)}`;

/** Arguments of `VersionPublished`. */
export const versionPublished = (major: number, minor: number) => ({
  versionId: versionId(major, minor),
  modelId: MODEL_ID,
  major,
  minor,
  modelHash: hash("model"),
  blobId: zeroHash,
  circuitHash: hash("circuit"),
  csHash: CS_HASH,
  transcriptHash: hash("transcript"),
  verifyingKeyHash: hash("key"),
  inputMode: 0,
  inputLayout: INPUT_LAYOUT,
  outputLayout: OUTPUT_LAYOUT,
});

/** Arguments of `InferenceSettled`: a ZKML settlement of version 1.0 unless told otherwise. */
export function inferenceSettled(parameters: {
  nonce: bigint;
  label?: bigint;
  node?: string;
  modelVersion?: Hex;
  verification?: number;
  /** added to the output word: a bit that no element owns makes it unreadable */
  strayBit?: bigint;
}) {
  const { nonce, label = 7n, node = NODE, strayBit = 0n } = parameters;
  const inputWords = packWords({ layouts: INPUT_LAYOUT, integers: [0n, 16n, 3n, nonce % 17n] });
  const [outputWord = 0n] = packWords({ layouts: OUTPUT_LAYOUT, integers: [-5n, 1200n, label] });
  const outputWords = [outputWord | strayBit];
  return {
    requestId: hex(encodeRequestId({ node, nonce })),
    modelVersion: parameters.modelVersion ?? versionId(1, 0),
    requester: REQUESTER as Hex,
    verification: parameters.verification ?? 1,
    inputHash: hex(hashWords(inputWords)),
    outputHash: hex(hashWords(outputWords)),
    price: 10n ** 21n + nonce,
    timestamp: 1_750_000_000n,
    teeId: zeroHash,
    words: [...inputWords, ...outputWords],
  };
}
