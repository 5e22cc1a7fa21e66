import type { loadModel } from "@haca/model-runtime/loadModel";
import type { VerifyingKeyJson } from "@haca/protocol/groth16";

type LoadedModel = Awaited<ReturnType<typeof loadModel>>;

/** A compiled model that was checked against the address book and the chain. */
export type ServedModel = LoadedModel & {
  slug: string;
  major: number;
  minor: number;
  /** `major.minor` */
  version: string;
  versionId: string;
  verifyingKey: VerifyingKeyJson;
  /** as the chain said last; the only property that changes */
  status: "published" | "deprecated";
};
