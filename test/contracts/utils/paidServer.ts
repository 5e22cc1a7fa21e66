import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  decodePaymentSignatureHeader,
  encodePaymentRequiredHeader,
  encodePaymentResponseHeader,
} from "@x402/core/http";
import type { PaymentRequirements, SchemeNetworkFacilitator } from "@x402/core/types";

/** Header of a request that pays, as x402 names it. */
export const PAYMENT_HEADER = "payment-signature";

/**
 * A service that answers `GET /answer` to whoever pays as `requirements` say, and settles before it answers. Each
 * settled transaction pays for one answer.
 */
export async function startPaidServer(parameters: {
  requirements: PaymentRequirements;
  facilitator: SchemeNetworkFacilitator;
}) {
  const { requirements, facilitator } = parameters;
  /** payment headers as they came in */
  const received: string[] = [];
  /** transactions that have paid for an answer */
  const spent = new Set<string>();
  let url = "";

  const refuse = (response: ServerResponse, error: string) => {
    const required = { x402Version: 2, error, resource: { url }, accepts: [requirements] };
    response.writeHead(402, { "payment-required": encodePaymentRequiredHeader(required) });
    response.end(JSON.stringify({ error }));
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const header = request.headers[PAYMENT_HEADER];
    if (typeof header !== "string") {
      return refuse(response, "payment required");
    }
    received.push(header);
    const payload = decodePaymentSignatureHeader(header);
    const verdict = await facilitator.verify(payload, requirements);
    if (!verdict.isValid) {
      return refuse(response, verdict.invalidReason ?? "invalid");
    }
    const settlement = await facilitator.settle(payload, requirements);
    if (!settlement.success) {
      return refuse(response, settlement.errorReason ?? "not settled");
    }
    // The facilitator answers a repeated settlement with the first one's transaction.
    if (spent.has(settlement.transaction)) {
      return refuse(response, "payment already spent");
    }
    spent.add(settlement.transaction);
    response.writeHead(200, { "payment-response": encodePaymentResponseHeader(settlement) });
    response.end(JSON.stringify({ answer: 42 }));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, received, stop };
}
export type PaidServer = Awaited<ReturnType<typeof startPaidServer>>;
