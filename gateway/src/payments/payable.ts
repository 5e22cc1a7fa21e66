import { keccak256 } from "ethers";
import type { Repeat } from "../answers/answerFile.ts";
import {
  type AnswerParameters,
  answerRequest,
  type GatewayContext,
} from "../server/answerRequest.ts";
import type { ChatRequest } from "../server/chatRequest.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import type { Route } from "./payment.ts";
import type { PaymentSettings } from "./paymentSettings.ts";

export const SEALED_PATH = "ohttp";
/** How sealed requests are paid, whatever others are: escrows pay for a result whose hash the payer has named. */
const SEALED_ROUTES: readonly Route[] = ["exact"];

/** What a payment is for: a request; or one that is sealed, of which nobody sees more than its bytes before it is paid. */
export type Payable = Pick<
  ChatRequest,
  "body" | "salt" | "isSalted" | "isStream" | "inputHash" | "repeat" | "legacy"
> & {
  path: ChatRequest["path"] | typeof SEALED_PATH;
  /** undefined: it is sealed */
  model: string | undefined;
};

/** Answers a request as its payment has it. */
export type MakePaid = (parameters: {
  /** with which it is paid, in its turn */
  parts: GatewayParts;
  fields: Pick<ChatRequest, "salt" | "inputHash"> & { repeat: Repeat };
  /** whether its payment is noted: then no other takes its place */
  isNoted: () => boolean;
}) => Promise<Response>;

export type PaidParameters = {
  c: GatewayContext;
  parts: GatewayParts;
  request: Payable;
  make: MakePaid;
};

/** A request that anybody can read. */
export const plainPayable = ({ c, parts, request }: AnswerParameters): PaidParameters => ({
  ...{ c, parts, request },
  make: (paid) => answerRequest({ c, parts: paid.parts, request: { ...request, ...paid.fields } }),
});

/** A sealed request: it is paid by the hash of what was sent, whatever is in it. */
export const sealedPayable = (bytes: Uint8Array): Payable => ({
  ...{ path: SEALED_PATH, body: bytes, model: undefined, inputHash: keccak256(bytes) },
  // The bytes are others each time.
  ...{ salt: "", isSalted: true, repeat: undefined },
  // How its answer comes is sealed, too: what it costs is said before there is one.
  isStream: true,
});

/** The settings as they are for a request. */
export const settingsFor = (settings: PaymentSettings, request: Payable): PaymentSettings => ({
  ...settings,
  routes: routesFor(settings, request),
});

export const isSealed = ({ model }: Pick<Payable, "model">): boolean => model === undefined;

/** By which routes a request can be paid. */
export const routesFor = (
  { routes }: { routes: readonly Route[] },
  request: Pick<Payable, "model">,
): readonly Route[] => (isSealed(request) ? SEALED_ROUTES : routes);
