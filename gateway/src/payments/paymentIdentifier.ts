import type { PaymentPayload } from "@x402/core/types";
import { RefusedRequestError } from "../gatewayError.ts";

const KEY = "payment-identifier";
const FORM = /^[\w-]{16,128}$/;

/**
 * What offers say of x402's extension by which a client names a request that it pays for: nobody has to.
 * https://github.com/x402-foundation/x402/blob/main/specs/extensions/payment_identifier.md
 */
export const IDENTIFIER_EXTENSION = {
  [KEY]: {
    info: { required: false },
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        required: { type: "boolean" },
        id: { type: "string", minLength: 16, maxLength: 128 },
      },
      required: ["required"],
    },
  },
} as const;

/** The name that a client gave; undefined where it gave none. @throws RefusedRequestError 400 where it is none */
export function identifierIn({ extensions }: PaymentPayload): string | undefined {
  const extension = extensions?.[KEY] as { info?: { id?: unknown } | null } | null | undefined;
  const id = extension?.info?.id;
  if (id === undefined) return undefined;
  if (typeof id === "string" && FORM.test(id)) return id;
  throw new RefusedRequestError({
    ...{ status: 400, code: "payment.identifierMalformed", field: "payment-signature" },
    message: `payment-signature: extensions.${KEY}.info.id: is not 16 to 128 letters, digits, - or _`,
  });
}

/** The payment without the name that a client gave, which is between it and the gateway. */
export function withoutName(payload: PaymentPayload): PaymentPayload {
  const { [KEY]: _name, ...extensions } = payload.extensions ?? {};
  return { ...payload, extensions };
}
