import type { loadModel } from "@haca/model-runtime/loadModel";
import type { VerifyingKeyJson } from "@haca/protocol/groth16";
import { RefusedInferenceError } from "../errors.ts";

type LoadedModel = Awaited<ReturnType<typeof loadModel>>;

/** A compiled model that was checked against the address book and the chain. */
export type ServedModel = LoadedModel & {
  slug: string;
  major: number;
  minor: number;
  /** `major.minor` */
  version: string;
  versionId: string;
  /** ids of all versions that these very files were published as, its own among them: what they can prove */
  provable: readonly string[];
  verifyingKey: VerifyingKeyJson;
  /** as the chain said last; the only property that changes */
  status: "published" | "deprecated";
};

/**
 * The served model of a name and version; without a version, the newest that is not deprecated.
 * @throws RefusedInferenceError for one that is not served, and for a deprecated one
 */
export function selectModel(parameters: {
  models: readonly ServedModel[];
  name: string;
  version: string | undefined;
}): ServedModel {
  const { models, name, version } = parameters;
  const named = models.filter(({ slug }) => slug === name);
  if (named.length === 0) {
    throw new RefusedInferenceError({
      code: "model.unknown",
      field: "model",
      message: `model: ${JSON.stringify(name.slice(0, 64))} is not served here`,
    });
  }
  const candidates = named
    .filter((model) => version === undefined || model.version === version)
    .sort((a, b) => b.major - a.major || b.minor - a.minor);
  const model = candidates.find(({ status }) => status === "published") ?? candidates[0];
  if (model === undefined) {
    throw new RefusedInferenceError({
      code: "model.unknownVersion",
      field: "version",
      message: `version: ${name} ${version} is not served here`,
    });
  }
  if (model.status === "deprecated") {
    throw new RefusedInferenceError({
      code: "model.deprecated",
      field: "version",
      message: `version: ${name} ${model.version} is deprecated: its results cannot be settled`,
    });
  }
  return model;
}
