import type { Logger } from "pino";
import type { AnswerStore } from "../answers/answerStore.ts";
import type { EnclaveDocuments } from "../attestation/enclaveDocuments.ts";
import type { LegacyFacilitator } from "../legacy/legacyFacilitator.ts";
import type { Metrics } from "../metrics.ts";
import type { OhttpKeys } from "../ohttp/ohttpKeys.ts";
import type { Signing } from "../profile/signAnswer.ts";
import type { ResultReader } from "../queue/resultReader.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Admission } from "./admission.ts";

/** What the routes work with. */
export type GatewayParts = {
  upstream: Upstream;
  signing: Signing;
  /** absent where the settings name no enclave */
  documents: Pick<EnclaveDocuments, "documentFor"> | undefined;
  /** version ids in the model registry, by the names under which clients ask for them */
  models: ReadonlyMap<string, string>;
  admission: Pick<Admission, "enter" | "running" | "waiting">;
  answers: Pick<AnswerStore, "enter" | "handIn">;
  results: Pick<ResultReader, "read">;
  /** who settles answers of the profile `legacy`; absent: there are none */
  facilitator: Pick<LegacyFacilitator, "deliver"> | undefined;
  /** whether answers of the profile `legacy` are signed as results, too, so that they can be paid as these are */
  signsBoth: boolean;
  /** absent where the gateway has not the attested key itself, or has prices and none for what is sealed */
  ohttp: OhttpKeys | undefined;
  metrics: Metrics;
  logger: Logger;
  limits: {
    /** bytes of a request */
    body: number;
    /** milliseconds that an answer may take in all */
    answerMs: number;
    /** milliseconds after which a client that takes nothing counts as gone */
    clientMs: number;
  };
  /** aborted when what is left is to be given up, so that the process can end */
  ending: AbortSignal;
};
