import type { TransactionStore } from "../../../jobs/transactionStore.ts";
import { recordSigned } from "../../../jobs/transactions.ts";
import type { Database } from "../../../storage/database.ts";
import { databaseStore } from "../../../transactions/databaseStore.ts";

const PREFIX = "payment ";

/** Names a payment's transaction, for logs and for the store below. */
export const purposeOf = ({ id }: { id: string }): string => `${PREFIX}${id}`;

const FIND_UNSENT = `SELECT 1 FROM payments
WHERE id = $1 AND state = 'accepted' AND transaction_id IS NULL
FOR UPDATE`;
const TIE = `UPDATE payments SET state = 'sent', transaction_id = $2, last_error = NULL, updated_at = now()
WHERE id = $1`;

/**
 * Transactions of the facilitator's account. That of a payment is tied to it in the same commit that gives it a nonce, so
 * that a payment has one at most, whoever tries and whenever they die.
 */
export function paymentStore(database: Database): TransactionStore {
  const store = databaseStore(database);
  return {
    ...store,
    async record(parameters) {
      const { chainNonce, purpose, sign } = parameters;
      if (!purpose.startsWith(PREFIX)) return await store.record(parameters);
      const paymentId = purpose.slice(PREFIX.length);
      return await database.transaction(async (tx) => {
        if ((await tx.query(FIND_UNSENT, [paymentId])).length === 0) return undefined;
        const { id, ...transaction } = await recordSigned({ tx, chainNonce, purpose, sign });
        await tx.query(TIE, [paymentId, id]);
        return transaction;
      });
    },
  };
}
