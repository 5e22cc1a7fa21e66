import { getAddress } from "ethers";
import type { Row } from "../../../storage/database.ts";
import type { PaymentMethod } from "./paymentRequest.ts";

/** accepted: on disk; sent: its transaction is recorded; settled, failed: something was mined, or it cannot be any more. */
export type PaymentState = "accepted" | "sent" | "settled" | "failed";

/** A payment that was accepted to be settled. */
export type Payment = {
  id: string;
  jobId: string;
  state: PaymentState;
  method: PaymentMethod;
  payer: string;
  nonce: bigint;
  contentHash: string;
  scheme: string;
  receiver: string;
  /** undefined: OPG, of before there were others */
  token: string | undefined;
  amount: bigint;
  /** first second in which the chain takes it no more, in unix seconds */
  validUntil: bigint;
  /** the call that settles it */
  to: string;
  data: string;
  /** head of the chain when it was accepted */
  acceptedBlock: number;
  /** the account's transaction for it; `isDropped` where another one took its nonce */
  transaction: { id: string; nonce: number; hash: string; isDropped: boolean } | null;
  /** what was mined: of the account, or somebody else's that has settled it */
  minedHash: string | null;
  /** why it failed, in x402's words */
  failure: string | null;
  acceptedAt: Date;
  updatedAt: Date;
};

/** Columns that `paymentOf` reads, of `payments p`, with the current attempt of its transaction. */
export const SELECT_PAYMENT = `SELECT
  p.id::text, p.job_id, p.state, p.method, p.payer, p.nonce::text, p.content_hash, p.scheme, p.receiver,
  p.token, p.amount::text, p.valid_until::text, p.target, p.calldata, p.accepted_block::text, p.transaction_id::text,
  p.transaction_hash, p.failure, p.accepted_at, p.updated_at,
  t.nonce::text AS account_nonce, t.dropped_at, a.hash
FROM payments p
LEFT JOIN transactions t ON t.id = p.transaction_id
LEFT JOIN attempts a ON a.transaction_id = t.id AND a.replaced_at IS NULL`;

export function paymentOf(row: Row): Payment {
  const text = (name: string): string => row[name] as string;
  const transactionId = row.transaction_id as string | null;
  return {
    id: text("id"),
    jobId: text("job_id"),
    state: row.state as PaymentState,
    method: row.method as PaymentMethod,
    payer: getAddress(text("payer")),
    nonce: BigInt(text("nonce")),
    contentHash: text("content_hash"),
    scheme: text("scheme"),
    receiver: getAddress(text("receiver")),
    token: (row.token as string | null) ?? undefined,
    amount: BigInt(text("amount")),
    validUntil: BigInt(text("valid_until")),
    to: text("target"),
    data: text("calldata"),
    acceptedBlock: Number(row.accepted_block),
    transaction:
      transactionId === null
        ? null
        : {
            id: transactionId,
            nonce: Number(row.account_nonce),
            hash: text("hash"),
            isDropped: row.dropped_at !== null,
          },
    minedHash: row.transaction_hash as string | null,
    failure: row.failure as string | null,
    acceptedAt: row.accepted_at as Date,
    updatedAt: row.updated_at as Date,
  };
}

/** Hash by which a client can follow it; empty while there is none. */
export const hashOf = ({ minedHash, transaction }: Payment): string =>
  minedHash ?? transaction?.hash ?? "";
