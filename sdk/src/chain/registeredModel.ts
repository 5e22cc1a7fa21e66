import type { TensorLayout } from "@haca/protocol/packedWords";
import { keccak, lengthOf, sliceHex, toBytes, toHex, wordOf } from "../bytes.ts";
import { LIMITS } from "../receipt/receipt.ts";
import { encode } from "./contractReads.ts";
import { chainError } from "./jsonRpc.ts";
import type { Chain } from "./openChain.ts";

/** A model's version whose answers can be proved, as the registry has it. */
export type RegisteredModel = {
  version: string;
  /** name among its owner's models */
  slug: string;
  /** `major.minor` */
  number: string;
  inputLayout: readonly TensorLayout[];
  outputLayout: readonly TensorLayout[];
  inputWords: number;
  verifyingKey: string;
  verifyingKeyHash: string;
};

const WORD_LENGTH = 32;
const MAXIMUM_TENSORS = 64;

/** `ModelRegistry.computeModelId` and `computeVersionId`: what a version of a name is called, published or not. */
export function versionIdOf(name: {
  /** lower case */
  owner: string;
  slug: string;
  major: number;
  minor: number;
}): string {
  const { owner, slug, major, minor } = name;
  const text = new TextEncoder().encode(slug);
  const padded = new Uint8Array(Math.ceil(text.length / WORD_LENGTH) * WORD_LENGTH);
  padded.set(text);
  const head = [`0x${owner.slice(2).padStart(64, "0")}`, wordOf(64n), wordOf(BigInt(text.length))];
  const model = keccak(...head, toHex(padded));
  return keccak(model, wordOf(BigInt(major)), wordOf(BigInt(minor)));
}

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
  const inputWords = view.number(fields, 9);
  const layoutAt = (place: number): TensorLayout[] =>
    layoutsIn(view, view.at(fields, place, fields));
  const [inputLayout, outputLayout] = [layoutAt(11), layoutAt(12)];
  const model = new Words(await chain.call(registry, encode("getModel(bytes32)", modelId)));
  const modelFields = model.at(0);
  const slug = new TextDecoder().decode(
    toBytes(model.bytes(model.at(modelFields, 1, modelFields))),
  );
  if (!/^[a-z0-9-]{1,64}$/.test(slug)) throw wrong();
  const key = new Words(await chain.call(registry, encode("getVerifyingKey(bytes32)", version)));
  const verifyingKey = key.bytes(key.at(0));
  if (lengthOf(verifyingKey) > LIMITS.verifyingKey) throw wrong();
  return {
    ...{ version, slug, number: `${major}.${minor}`, inputLayout, outputLayout, inputWords },
    ...{ verifyingKey, verifyingKeyHash: keccak(verifyingKey) },
  };
}

function layoutsIn(view: Words, start: number): TensorLayout[] {
  const count = view.number(start);
  if (count < 1 || count > MAXIMUM_TENSORS) throw wrong();
  return Array.from({ length: count }, (_, index) => {
    const at = start + WORD_LENGTH * (1 + 4 * index);
    const [elements, bits, isSigned] = [view.number(at), view.number(at, 1), view.number(at, 2)];
    // A signed number of 8 bits, as the ABI widens it.
    const scaleExponent = Number(BigInt.asIntN(256, BigInt(view.word(at, 3))));
    const isLayout = elements >= 1 && bits >= 1 && bits <= 248 && isSigned <= 1;
    if (!isLayout || scaleExponent < -128 || scaleExponent > 127) throw wrong();
    return { count: elements, bits, isSigned: isSigned === 1, scaleExponent };
  });
}

/** An answer of a contract in the ABI's encoding; whatever leads out of it throws. */
class Words {
  readonly #hex: string;

  constructor(hex: string) {
    this.#hex = hex;
  }

  /** The word so many places behind a byte. */
  word(start: number, place = 0): string {
    const from = start + WORD_LENGTH * place;
    if (from + WORD_LENGTH > lengthOf(this.#hex)) throw wrong();
    return sliceHex(this.#hex, from, from + WORD_LENGTH);
  }

  /** Of 32 bits at most. */
  number(start: number, place = 0): number {
    const value = BigInt(this.word(start, place));
    if (value >> 32n !== 0n) throw wrong();
    return Number(value);
  }

  /** Where something begins that a word says the distance of, from `base` on. */
  at(start: number, place = 0, base = 0): number {
    return base + this.number(start, place);
  }

  /** Bytes with their length before them. */
  bytes(start: number): string {
    const [from, length] = [start + WORD_LENGTH, this.number(start)];
    if (from + length > lengthOf(this.#hex)) throw wrong();
    return sliceHex(this.#hex, from, from + length);
  }
}

const wrong = () =>
  chainError("badAnswer", "the model registry answers something else than it should");
