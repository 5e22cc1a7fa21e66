import { type EscrowTerms, escrowFacilitator } from "@haca/protocol/inferenceEscrow";
import type { PaymentOption } from "@x402/core/http";
import { type HTTPAdapter, x402HTTPResourceServer, x402ResourceServer } from "@x402/core/server";
import type {
  Network,
  PaymentPayload,
  PaymentRequirements,
  SchemeNetworkServer,
  SettleResponse,
} from "@x402/core/types";
import type { RefusedRequestError } from "../gatewayError.ts";
import type { Route } from "./payment.ts";
import type { Quote } from "./quote.ts";

/** Seconds that what a client signs can be used: time for it to come back, and to be mined. */
export const SIGNED_SECONDS = 300;

/** Scheme of x402 that each route is. */
export const SCHEMES = { escrow: "upto", exact: "exact" } as const;
/** How it moves the token. */
const METHODS = { escrow: "permit2", exact: "eip3009" } as const;

/** What offers are made of, besides the quote. */
export type OfferSettings = {
  network: Network;
  routes: readonly Route[];
  /** of InferenceEscrow */
  escrow: string | undefined;
  /** EIP-712 name and version of the token */
  token: { name: string; version: string };
};

/** The terms that a permit for a quote binds. */
export const termsOf = (quote: Omit<Quote, "mac">): EscrowTerms => ({
  ...{ node: quote.node, payee: quote.payee, requestHash: quote.requestHash, token: quote.token },
  ...{ feeBps: BigInt(quote.feeBps), kinds: BigInt(quote.kinds) },
  captureWindow: BigInt(quote.captureWindow),
});

/** Whom a permit for a quote is to name as facilitator: the clone of the escrow that its terms make. */
export const cloneOf = (escrow: string, quote: Omit<Quote, "mac">): string =>
  escrowFacilitator({ escrow, terms: termsOf(quote) });

/** The offers of a quote, in the operator's order; all of the flow `upfront`, which is settled before there is an answer. */
export function offersOf(settings: OfferSettings, quote: Quote): PaymentOption[] {
  const { escrow, network, routes, token } = settings;
  return routes.flatMap((route): PaymentOption[] => {
    const common = { ...token, assetTransferMethod: METHODS[route], paymentFlow: "upfront" };
    const shared = {
      ...{ scheme: SCHEMES[route], network, maxTimeoutSeconds: SIGNED_SECONDS },
      price: { asset: quote.token, amount: quote.amount },
    };
    if (route === "exact") {
      return [{ ...shared, payTo: quote.payee, extra: { ...common, haca: quote } }];
    }
    if (escrow === undefined) return [];
    const facilitatorAddress = cloneOf(escrow, quote);
    return [{ ...shared, payTo: escrow, extra: { ...common, facilitatorAddress, haca: quote } }];
  });
}

/** A scheme as the library asks for it: prices come in the token, and nothing is added. */
const schemeOf = (route: Route): SchemeNetworkServer => ({
  scheme: SCHEMES[route],
  defaultAssetTransferMethod: METHODS[route],
  paymentFlows: { [METHODS[route]]: { supported: ["upfront"], default: "upfront" } },
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
  settings: OfferSettings;
  quote: Quote;
  /** header of the payment, where the client sent one */
  payment: string | undefined;
  request: { url: string; path: string };
  settle: (payload: PaymentPayload, requirements: PaymentRequirements) => Promise<SettleResponse>;
}): Promise<Processed> {
  const { payment, quote, request, settings } = parameters;
  const { network, routes } = settings;
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
    ...{ accepts: offersOf(settings, quote), resource: request.url },
    ...{ description: "a signed answer of a language model", mimeType: "application/json" },
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
