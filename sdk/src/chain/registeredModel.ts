import type { TensorLayout } from "@haca/protocol/packedWords";
import {
  REGISTERED_INPUT_MODES,
  type RegisteredInputMode,
} from "@haca/protocol/registeredInputMode";
import { keccak, keccakText, lengthOf, sliceHex, toBytes, toHex, wordOf } from "../bytes.ts";
import { canonicalJson } from "../receipt/canonicalJson.ts";
import { LIMITS } from "../receipt/receipt.ts";
import { encode } from "./contractReads.ts";
import type { Chain } from "./openChain.ts";
import { WORD_LENGTH, Words, wrongAnswer } from "./words.ts";

/** A model's version whose answers can be proved, as the registry has it. */
export type RegisteredModel = {
  version: string;
  /** name among its owner's models */
  slug: string;
  /** `major.minor` */
  number: string;
  inputMode: RegisteredInputMode;
  inputLayout: readonly TensorLayout[];
  outputLayout: readonly TensorLayout[];
  inputWords: number;
  verifyingKey: string;
  verifyingKeyHash: string;
};

type Layouts = Pick<RegisteredModel, "inputMode" | "inputLayout" | "outputLayout">;

/** What pins hold of a version's layouts: keccak256 of these three members in RFC 8785's form. */
export const layoutsHashOf = ({ inputLayout, inputMode, outputLayout }: Layouts): string =>
  keccakText(canonicalJson({ inputLayout, inputMode, outputLayout }));

const MAXIMUM_TENSORS = 64;

/** `ModelRegistry.computeModelId`: what a model is called, registered or not. */
export function modelIdOf({
  owner,
  slug,
}: {
  /** lower case */ owner: string;
  slug: string;
}): string {
  const text = new TextEncoder().encode(slug);
  const padded = new Uint8Array(Math.ceil(text.length / WORD_LENGTH) * WORD_LENGTH);
  padded.set(text);
  const head = [`0x${owner.slice(2).padStart(64, "0")}`, wordOf(64n), wordOf(BigInt(text.length))];
  return keccak(...head, toHex(padded));
}

/** `ModelRegistry.computeVersionId`: what a version of a name is called, published or not. */
export const versionIdOf = (name: {
  /** lower case */
  owner: string;
  slug: string;
  major: number;
  minor: number;
}): string => keccak(modelIdOf(name), wordOf(BigInt(name.major)), wordOf(BigInt(name.minor)));

/** Layouts, name and verifying key of a version that is published, or was. @throws BaseError `chain.*` */
export async function registeredModel(
  chain: Chain,
  registry: string,
  version: string,
): Promise<RegisteredModel> {
  const view = new Words(await chain.call(registry, encode("getVersion(bytes32)", version)));
  const fields = view.at(0);
  const [modelId, major, minor] = [
    view.word(fields),
    view.number(fields, 1),
    view.number(fields, 2),
  ];
  const [inputMode, inputWords] = [inputModeIn(view, fields), view.number(fields, 12)];
  const layoutAt = (place: number): TensorLayout[] =>
    layoutsIn(view, view.at(fields, place, fields));
  const [inputLayout, outputLayout] = [layoutAt(14), layoutAt(15)];
  if (inputLayout.length === 0 || outputLayout.length === 0) throw wrongAnswer();
  const { slug } = await modelAt(chain, registry, modelId);
  const key = new Words(await chain.call(registry, encode("getVerifyingKey(bytes32)", version)));
  const verifyingKey = key.bytes(key.at(0));
  if (lengthOf(verifyingKey) > LIMITS.verifyingKey) throw wrongAnswer();
  return {
    ...{
      version,
      slug,
      number: `${major}.${minor}`,
      inputMode,
      inputLayout,
      outputLayout,
      inputWords,
    },
    ...{ verifyingKey, verifyingKeyHash: keccak(verifyingKey) },
  };
}

/** A model's name and owner. @throws BaseError `chain.*` */
export async function modelAt(
  chain: Chain,
  registry: string,
  modelId: string,
): Promise<{ owner: string; slug: string; createdAt: bigint; versionCount: number }> {
  const view = new Words(await chain.call(registry, encode("getModel(bytes32)", modelId)));
  const fields = view.at(0);
  const slug = new TextDecoder().decode(toBytes(view.bytes(view.at(fields, 1, fields))));
  if (!/^[a-z0-9-]{1,64}$/.test(slug)) throw wrongAnswer();
  return {
    ...{ slug, owner: sliceHex(view.word(fields), 12), createdAt: BigInt(view.word(fields, 2)) },
    versionCount: view.number(fields, 3),
  };
}

/** What a version's input words are, from the fields of its view. */
export function inputModeIn(view: Words, fields: number): RegisteredInputMode {
  const inputMode = REGISTERED_INPUT_MODES[view.number(fields, 11)];
  if (inputMode === undefined) throw wrongAnswer();
  return inputMode;
}

/** The layouts of a list of tensors; none of a version that has no circuit. */
export function layoutsIn(view: Words, start: number): TensorLayout[] {
  const count = view.number(start);
  if (count > MAXIMUM_TENSORS) throw wrongAnswer();
  return Array.from({ length: count }, (_, index) => {
    const at = start + WORD_LENGTH * (1 + 4 * index);
    const [elements, bits, isSigned] = [view.number(at), view.number(at, 1), view.number(at, 2)];
    // A signed number of 8 bits, as the ABI widens it.
    const scaleExponent = Number(BigInt.asIntN(256, BigInt(view.word(at, 3))));
    const isLayout = elements >= 1 && bits >= 1 && bits <= 248 && isSigned <= 1;
    if (!isLayout || scaleExponent < -128 || scaleExponent > 127) throw wrongAnswer();
    return { count: elements, bits, isSigned: isSigned === 1, scaleExponent };
  });
}
