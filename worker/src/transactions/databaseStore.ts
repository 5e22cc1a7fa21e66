import { findGap, listAttempts, listOpenTransactions } from "../jobs/openTransactions.ts";
import type { TransactionStore } from "../jobs/transactionStore.ts";
import {
  dropTransaction,
  promoteAttempt,
  recordFiller,
  recordMined,
  recordReplacement,
  recordSent,
  recordSigned,
  recordTransaction,
} from "../jobs/transactions.ts";
import type { Database } from "../storage/database.ts";

/** Transactions of an account that is a queue's: in the queue's database, beside the jobs. */
export function databaseStore(database: Database): TransactionStore {
  return {
    countedFrom: "pending",
    record: async ({ settles, ...signing }) =>
      settles === undefined
        ? await database.transaction((tx) => recordSigned({ tx, ...signing }))
        : await recordTransaction({ database, ...signing, ...settles }),
    recordReplacement: (parameters) => recordReplacement({ database, ...parameters }),
    recordSent: (hash) => recordSent({ database, hash }),
    recordMined: (receipt) => recordMined({ database, receipt }),
    listAttempts: (nonce) => listAttempts({ database, nonce }),
    listOpen: () => listOpenTransactions({ database }),
    promote: (hash) => promoteAttempt({ database, hash }),
    async drop(transactionHash) {
      await dropTransaction({ database, transactionHash });
    },
    findGap: (parameters) => findGap({ database, ...parameters }),
    recordFiller: (parameters) => recordFiller({ database, ...parameters }),
  };
}
