import { getAddress, isAddress } from "ethers";
import { z } from "zod";
import type { SignedResult } from "../roles/collect/signedResult.ts";
import { parseJson, requireShape } from "./parseJson.ts";

/** Results that come together at most: as many as a page has. */
export const MAXIMUM_RESULTS = 256;
/** Signatures of the longest keys that are known have 512 bytes. */
const MAXIMUM_SIGNATURE_DIGITS = 2 * 1_024;

const word = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
  .toLowerCase();
const uint = (bits: number) =>
  z
    .string("must be a decimal number, as text")
    .regex(/^(0|[1-9]\d{0,77})$/, "must be a decimal number")
    .transform(BigInt)
    .refine((value) => value < 1n << BigInt(bits), `must be below 2^${bits}`);
const resultSchema = z.strictObject({
  message: z.strictObject({
    modelVersion: word,
    inputHash: word,
    outputHash: word,
    requester: z
      .string()
      .refine((text) => isAddress(text), "must be an address")
      .transform(getAddress),
    requestId: word,
    price: uint(256),
    timestamp: uint(64),
    teeId: word.refine((id) => !/^0x0*$/.test(id), "must name an enclave"),
  }),
  signature: z
    .string()
    .regex(/^0x([0-9a-fA-F]{2})+$/, "must be 0x and hex digits, two a byte")
    .max(2 + MAXIMUM_SIGNATURE_DIGITS, "is longer than any enclave's")
    .toLowerCase(),
  alone: z.boolean().optional(),
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
  { alone = false, ...rest }: z.output<typeof resultSchema>,
  place: string,
): SignedResult => ({ ...rest, alone, place });
