import type { Hono } from "hono";
import { addPayment } from "../jobs/heldPayments.ts";
import type { Database } from "../storage/database.ts";
import { heldPaymentSchema } from "./heldPaymentSchema.ts";
import { parseJson, requireShape } from "./parseJson.ts";
import { limitBody, refuseOtherMethods, requireJson } from "./refusals.ts";
import { requireSecret } from "./requireSecret.ts";

const PATH = "/v1/payments/cancelled";
const MAXIMUM_BYTES = 4_096;

/**
 * `/v1/payments/cancelled`, where gateways name payments whose requests have no answer: what the escrow holds goes back. One
 * whose result is here stays the result's.
 */
export function addPaymentRoutes(parameters: {
  app: Hono;
  database: Database;
  /** what whoever hands in has to show, if anything */
  secret: string | undefined;
  onAccepted: () => void;
}): void {
  const { app, database, onAccepted, secret } = parameters;
  if (secret !== undefined) app.post(PATH, requireSecret(secret));
  app.post(PATH, limitBody(MAXIMUM_BYTES), async (c) => {
    requireJson(c);
    const payment = requireShape(parseJson(await c.req.text()), heldPaymentSchema);
    await addPayment({ database, payment, requestId: null });
    onAccepted();
    return c.json({}, 202);
  });
  refuseOtherMethods(app, PATH, "POST");
}
