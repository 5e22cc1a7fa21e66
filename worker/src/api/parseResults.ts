import { z } from "zod";
import type { SignedResult } from "../roles/collect/signedResult.ts";
import { signedMessageShape } from "../signedMessage.ts";
import { channelVoucherSchema } from "./channelVoucherSchema.ts";
import { heldPaymentSchema } from "./heldPaymentSchema.ts";
import { parseJson, requireShape } from "./parseJson.ts";

/** Results that come together at most: as many as a page has. */
export const MAXIMUM_RESULTS = 256;

const { message, signature } = signedMessageShape;
const resultSchema = z.strictObject({
  message: message.refine(({ teeId }) => !/^0x0*$/.test(teeId), {
    path: ["teeId"],
    error: "must name an enclave",
  }),
  signature,
  alone: z.boolean().optional(),
  payment: heldPaymentSchema.optional(),
  voucher: channelVoucherSchema.optional(),
});
const listSchema = z.strictObject({
  results: z
    .array(resultSchema)
    .min(1, "must have a result")
    .max(MAXIMUM_RESULTS, `must have ${MAXIMUM_RESULTS} results at most`),
});

/** Reads the body of `POST /v1/results`: one result, or a list. @throws RequestError naming the field */
export function parseResults(body: string): { isList: boolean; results: SignedResult[] } {
  const json = parseJson(body);
  const isList = typeof json === "object" && json !== null && "results" in json;
  if (!isList) return { isList, results: [resultOf(requireShape(json, resultSchema), "")] };
  const { results } = requireShape(json, listSchema);
  return { isList, results: results.map((result, i) => resultOf(result, `results.${i}.`)) };
}

const resultOf = (
  { alone = false, payment, voucher, ...rest }: z.output<typeof resultSchema>,
  place: string,
): SignedResult => ({
  ...rest,
  alone,
  place,
  ...(payment && { payment }),
  ...(voucher && { voucher }),
});
