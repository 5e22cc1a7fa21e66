import { type CommerceOffer, endsOfRequest } from "@haca/protocol/commercePayments";
import { type EscrowTerms, escrowFacilitator } from "@haca/protocol/inferenceEscrow";
import type { PaymentOption } from "@x402/core/http";
import { type HTTPAdapter, x402HTTPResourceServer, x402ResourceServer } from "@x402/core/server";
import type {
  PaymentPayload,
  PaymentRequirements,
  SchemeNetworkServer,
  SettleResponse,
} from "@x402/core/types";
import { ZeroAddress } from "ethers";
import type { RefusedRequestError } from "../gatewayError.ts";
import { type Route, SCHEMES } from "./payment.ts";
import { IDENTIFIER_EXTENSION } from "./paymentIdentifier.ts";
import { isOpg, type PaymentSettings } from "./paymentSettings.ts";
import type { Quote } from "./quote.ts";

/** Seconds that what a client signs can be used: time for it to come back, and to be mined. */
export const SIGNED_SECONDS = 300;

/** How each route moves the token. */
const METHODS: Readonly<Record<Route, readonly string[]>> = {
  ...{ escrow: ["permit2"], exact: ["eip3009"], commerce: ["eip3009", "permit2"] },
};
/** Other tokens than OPG by EIP-3009 alone, which they have: offers stand in one header, of which clients take 16 KiB. */
const methodsOf = (settings: OfferSettings, route: Route): readonly string[] =>
  isOpg(settings) ? METHODS[route] : ["eip3009"];
/** Flow of x402: both are settled before there is an answer, and by `escrow` the scheme knows that the tokens are to be held. */
const FLOWS: Readonly<Record<Route, "upfront" | "escrow">> = {
  ...{ escrow: "upfront", exact: "upfront", commerce: "escrow" },
};

/** What offers are made of, besides the quote: of its token. */
type OfferSettings = Pick<PaymentSettings, "network" | "routes" | "escrow" | "operator" | "token">;
/** A quote, and the settings as they are for its token. */
export type Offered = { settings: OfferSettings; quote: Quote };

/** The terms that a permit for a quote binds. */
export const termsOf = (quote: Omit<Quote, "mac">): EscrowTerms => ({
  // Small: of a payment that is known, the quote is the client's word, in whatever letters.
  ...{ node: quote.node.toLowerCase(), payee: quote.payee.toLowerCase() },
  ...{ requestHash: quote.requestHash, token: quote.token.toLowerCase() },
  ...{ feeBps: BigInt(quote.feeBps), kinds: BigInt(quote.kinds) },
  captureWindow: BigInt(quote.captureWindow),
});

/** Whom a permit for a quote is to name as facilitator: the clone of the escrow that its terms make. */
export const cloneOf = (escrow: string, quote: Omit<Quote, "mac">): string =>
  escrowFacilitator({ escrow, terms: termsOf(quote) });

/**
 * What a stock client makes its payment of, where an operator is to hold it. Until the last second in which what it signs can be
 * used, the whole window is ahead.
 */
export function commerceOffer(
  operator: string,
  quote: Omit<Quote, "mac">,
): CommerceOffer & { extra: object } {
  const captureDeadline = quote.expiresAt + 2 * SIGNED_SECONDS + quote.captureWindow;
  const fees = { minFeeBps: 0, maxFeeBps: 0, feeRecipient: ZeroAddress };
  return {
    ...{ asset: quote.token, payTo: operator, amount: quote.amount },
    extra: {
      ...{ captureAuthorizer: operator, operatorType: "custom", captureMode: "deferred" },
      ...{ authCaptureEscrow: quote.commerceEscrow, ...endsOfRequest(quote.requestHash) },
      ...{ captureDeadline, refundDeadline: captureDeadline, ...fees },
    },
  };
}

/** Whom an offer pays, and what else it says. */
function partsOf(
  settings: OfferSettings,
  quote: Quote,
  route: Route,
): { payTo: string; extra: object } | undefined {
  const { escrow, operator } = settings;
  if (route === "exact") return { payTo: quote.payee, extra: {} };
  if (route === "commerce") {
    return operator === undefined ? undefined : commerceOffer(operator, quote);
  }
  if (escrow === undefined) return undefined;
  return { payTo: escrow, extra: { facilitatorAddress: cloneOf(escrow, quote) } };
}

/** The offers of a quote, in the operator's order; all of them are settled before there is an answer. */
export function offersOf({ quote, settings }: Offered): PaymentOption[] {
  const { network, routes } = settings;
  const { name, version } = settings.token;
  return routes.flatMap((route): PaymentOption[] => {
    const parts = partsOf(settings, quote, route);
    if (parts === undefined) return [];
    return methodsOf(settings, route).map((assetTransferMethod) => ({
      ...{ scheme: SCHEMES[route], network, maxTimeoutSeconds: SIGNED_SECONDS },
      ...{ price: { asset: quote.token, amount: quote.amount }, payTo: parts.payTo },
      extra: {
        ...{ name, version, assetTransferMethod, paymentFlow: FLOWS[route] },
        ...{ ...parts.extra, haca: quote },
      },
    }));
  });
}

/** A scheme as the library asks for it: prices come in the token, and nothing is added. */
const schemeOf = (route: Route): SchemeNetworkServer => ({
  scheme: SCHEMES[route],
  defaultAssetTransferMethod: METHODS[route][0] ?? "",
  paymentFlows: Object.fromEntries(
    METHODS[route].map((method) => [method, { supported: [FLOWS[route]], default: FLOWS[route] }]),
  ),
  async parsePrice(price) {
    if (typeof price !== "object") throw new Error("a price has an asset");
    return { ...price, extra: {} };
  },
  enhancePaymentRequirements: async (requirements) => requirements,
});

/** What x402 says to a request: the head of a refusal, or what became of its payment. */
export type Processed =
  | { isPaid: false; status: number; headers: Record<string, string> }
  | { isPaid: true; settled: SettleResponse };

/**
 * Has the library of x402 process a request: without a payment it makes the offers, with one it compares it with them and has it
 * settled. What `settle` throws is thrown.
 */
export async function processPayment(parameters: {
  /** one for each token; of a payment that of its quote alone */
  offered: readonly Offered[];
  /** header of the payment, where the client sent one */
  payment: string | undefined;
  request: { url: string; path: string };
  settle: (payload: PaymentPayload, requirements: PaymentRequirements) => Promise<SettleResponse>;
}): Promise<Processed> {
  const { offered, payment, request } = parameters;
  const [first] = offered;
  if (first === undefined) throw new Error("nothing is offered");
  const { network } = first.settings;
  const routes = [...new Set(offered.flatMap(({ settings }) => settings.routes))];
  let failure: RefusedRequestError | undefined;
  const kinds = routes.map((route) => ({ x402Version: 2, scheme: SCHEMES[route], network }));
  const resources = new x402ResourceServer({
    getSupported: async () => ({ kinds, extensions: [], signers: {} }),
    verify: async () => ({ isValid: false, invalidReason: "only settled here" }),
    settle: (payload, requirements) =>
      parameters.settle(payload, requirements).catch((error: RefusedRequestError) => {
        failure = error;
        throw error;
      }),
  });
  for (const route of routes) resources.register(network, schemeOf(route));
  const server = new x402HTTPResourceServer(resources, {
    ...{ accepts: offered.flatMap(offersOf), resource: request.url },
    ...{ description: "a signed answer of a language model", mimeType: "application/json" },
    extensions: IDENTIFIER_EXTENSION,
  });
  await server.initialize();
  const adapter: HTTPAdapter = {
    getHeader: (name) => (name.toLowerCase() === "payment-signature" ? payment : undefined),
    getMethod: () => "POST",
    getPath: () => request.path,
    getUrl: () => request.url,
    getAcceptHeader: () => "application/json",
    getUserAgent: () => "",
  };
  const result = await server.processHTTPRequest({ adapter, path: request.path, method: "POST" });
  if (failure !== undefined) throw failure;
  if (result.type === "payment-verified" && result.beforeHandlerSettlement !== undefined) {
    return { isPaid: true, settled: result.beforeHandlerSettlement.result };
  }
  if (result.type !== "payment-error") throw new Error("a request was neither paid nor refused");
  return { isPaid: false, status: result.response.status, headers: result.response.headers };
}
