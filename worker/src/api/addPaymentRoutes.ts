import { channelIdOf } from "@haca/protocol/channels";
import type { Hono } from "hono";
import { addRefund } from "../jobs/channelRefunds.ts";
import { addPayment } from "../jobs/heldPayments.ts";
import type { Database } from "../storage/database.ts";
import { channelRefundSchema } from "./channelVoucherSchema.ts";
import { heldPaymentSchema } from "./heldPaymentSchema.ts";
import { parseJson, requireShape } from "./parseJson.ts";
import { limitBody, refuseOtherMethods, requireJson } from "./refusals.ts";
import { requireSecret } from "./requireSecret.ts";

const PATH = "/v1/payments/cancelled";
const REFUNDS = "/v1/channels/refunds";
const MAXIMUM_BYTES = 4_096;

/**
 * `/v1/payments/cancelled`, where gateways name payments whose requests have no answer: what the escrow holds goes back. One
 * whose result is here stays the result's. And `/v1/channels/refunds`, where they order what payers of channels are to have back,
 * and ask with the same order what became of it.
 */
export function addPaymentRoutes(parameters: {
  app: Hono;
  database: Database;
  chainId: bigint;
  /** what whoever hands in has to show, if anything */
  secret: string | undefined;
  onAccepted: () => void;
}): void {
  const { app, chainId, database, onAccepted, secret } = parameters;
  if (secret !== undefined) {
    for (const path of [PATH, REFUNDS]) app.post(path, requireSecret(secret));
  }
  app.post(PATH, limitBody(MAXIMUM_BYTES), async (c) => {
    requireJson(c);
    const payment = requireShape(parseJson(await c.req.text()), heldPaymentSchema);
    await addPayment({ database, payment, requestId: null });
    onAccepted();
    return c.json({}, 202);
  });
  app.post(REFUNDS, limitBody(MAXIMUM_BYTES), async (c) => {
    requireJson(c);
    const { channel, number, ...rest } = requireShape(
      parseJson(await c.req.text()),
      channelRefundSchema,
    );
    const channelId = channelIdOf({ chainId, channel });
    const order = { ...rest, channel, channelId, number: BigInt(number) };
    const refund = await addRefund({ database, order });
    if (refund.state === "open") onAccepted();
    return c.json(refund);
  });
  for (const path of [PATH, REFUNDS]) refuseOtherMethods(app, path, "POST");
}
