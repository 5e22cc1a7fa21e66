import type { Logger } from "pino";
import type { Metrics } from "../metrics.ts";
import type { Signing } from "../profile/signAnswer.ts";
import type { ResultQueue } from "../queue/resultQueue.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Admission } from "./admission.ts";
import type { StoredAnswers } from "./storedAnswers.ts";

/** What the routes work with. */
export type GatewayParts = {
  upstream: Upstream;
  queue: Pick<ResultQueue, "deliver">;
  signing: Signing;
  /** version ids in the model registry, by the names under which clients ask for them */
  models: ReadonlyMap<string, string>;
  admission: Admission;
  stored: StoredAnswers;
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
