import { setImmediate } from "node:timers/promises";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { BaseError } from "@haca/protocol/baseError";
import { type CheckedPage, type PageResult, wordsOf } from "@haca/protocol/blobs/pageBlob";
import { modeOf } from "@haca/protocol/inputMode";
import { packWords, unpackWords } from "@haca/protocol/packedWords";
import { type PageHeader, placesOf } from "@haca/protocol/pageSettlement";
import type { ServedModel } from "../models/servedModel.ts";

/** A leaf of which there may be no proof. */
export type DoubtedLeaf = {
  place: number;
  /** the model answers otherwise; false: there is nothing to run it on */
  isWrong: boolean;
  reason: string;
};

/**
 * Runs the models of an optimistic page's leaves again, which are exact to the bit: whoever has done that knows before they
 * demand a proof whether there is one. Also returns how many leaves are of versions that are not at hand here, or hide the input: then
 * there is nothing to run the model on, and only who knows the input can tell.
 */
export async function rerunModels(parameters: {
  models: readonly ServedModel[];
  header: PageHeader;
  page: CheckedPage;
}): Promise<{ doubted: DoubtedLeaf[]; unknown: number }> {
  const { header, models, page } = parameters;
  const byVersion = new Map(
    models.flatMap((model) => model.provable.map((id) => [id.toLowerCase(), model])),
  );
  const taken = new Set(placesOf(header));
  const doubted: DoubtedLeaf[] = [];
  let unknown = 0;
  for (const result of page.results) {
    if (!taken.has(result.index)) continue;
    const model = byVersion.get(result.modelVersion.toLowerCase());
    if (model === undefined || modeOf(model.manifest) !== "packed") {
      unknown += 1;
      continue;
    }
    const doubt = doubtOf(model, result);
    if (doubt !== undefined) doubted.push({ place: result.index, ...doubt });
    // A page of a large model takes a while: what is to be sent must not wait for it.
    await setImmediate();
  }
  return { doubted, unknown };
}

function doubtOf(
  { integerModel, manifest }: ServedModel,
  result: PageResult,
): Omit<DoubtedLeaf, "place"> | undefined {
  const words = wordsOf(result);
  if (words === undefined) {
    return { isWrong: false, reason: "the blob does not have the words of the result" };
  }
  const layouts = manifest.outputs.map(({ layout }) => layout);
  try {
    const [input = []] = unpackWords({ layouts: [manifest.input.layout], words: words.input });
    const integers = runIntegerModel({ integerModel, input }).flat();
    const output = packWords({ layouts, integers });
    if (
      output.length === words.output.length &&
      output.every((word, i) => word === words.output[i])
    ) {
      return undefined;
    }
    return { isWrong: true, reason: "the model answers otherwise" };
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    // Of words that are no input of the model there is no proof.
    return { isWrong: true, reason: error.message };
  }
}
