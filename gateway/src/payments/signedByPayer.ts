import { permit2Domain } from "@haca/protocol/inferenceEscrow";
import {
  PERMIT_TYPES,
  PERMIT2_ADDRESS,
  RECEIVE_TYPES,
  TRANSFER_TYPES,
  UPTO_PERMIT_TYPES,
} from "@haca/protocol/signedPayments";
import { type TypedDataDomain, verifyTypedData } from "ethers";
import type { Payment } from "./payment.ts";

type Payload = {
  signature: string;
  permit2Authorization?: Record<string, unknown>;
  authorization?: Record<string, unknown>;
};

/**
 * Whether the payer's own key has signed a payment. Where the payer is a contract it says no: what a contract has signed the
 * chain alone knows.
 */
export function isSignedByPayer(parameters: {
  payment: Payment;
  payload: unknown;
  chainId: bigint;
  /** EIP-712 domain of the token */
  token: TypedDataDomain;
}): boolean {
  const { chainId, payment, token } = parameters;
  const { authorization, permit2Authorization, signature } = parameters.payload as Payload;
  const { commerce, route } = payment;
  // By what the payment was read as, and not by what stands in its payload.
  const isTransfer = route === "exact" || commerce?.method === "transfer";
  const [transfer, permit] =
    route === "commerce" ? [RECEIVE_TYPES, PERMIT_TYPES] : [TRANSFER_TYPES, UPTO_PERMIT_TYPES];
  try {
    const signer = isTransfer
      ? verifyTypedData(token, transfer, authorization ?? {}, signature)
      : verifyTypedData(
          permit2Domain({ chainId, permit2: PERMIT2_ADDRESS }),
          permit,
          permit2Authorization ?? {},
          signature,
        );
    return signer.toLowerCase() === payment.payer;
  } catch {
    return false;
  }
}
