import { type JsonObject, objectOf } from "@haca/protocol/json/json";
import type { TypedDataDomain } from "ethers";
import type { SignedResult } from "./signAnswer.ts";

/** Name of the field of an answer that holds what is signed. An upstream's own is dropped. */
export const SIGNATURE_FIELD = "haca";

/** Everything that somebody needs, besides request and answer, to check the signature. */
export const signatureFields = (parameters: {
  result: SignedResult;
  salt: string;
  domain: TypedDataDomain;
}): JsonObject => {
  const { domain, result, salt } = parameters;
  return objectOf({
    ...{ profile: "haca-1", salt, signature: result.signature },
    ...{ chainId: String(domain.chainId), settlement: String(domain.verifyingContract) },
    message: objectOf(result.message),
  });
};
