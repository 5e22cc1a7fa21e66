import { performance } from "node:perf_hooks";
import type { RecordedTransaction } from "../jobs/job.ts";
import type { TransactionStore } from "../jobs/transactionStore.ts";

type Attempt = { hash: string; raw: string; signedAt: number; sentAt: number | null };
/** The current attempt first. */
type Open = { nonce: number; purpose: string; attempts: Attempt[] };

/**
 * Transactions of an account whose sender has nothing to lose with them: what gets lost with the process is made up for
 * by the next. It knows what is open; a nonce below that of anything that was mined or dropped is never given again.
 */
export function memoryStore(): TransactionStore {
  const open = new Map<number, Open>();
  let floor = 0;
  /** Nonces are given one after another: signing takes a while. */
  let turn: Promise<unknown> = Promise.resolve();

  const find = (hash: string): Open | undefined =>
    [...open.values()].find(({ attempts }) => attempts.some((attempt) => attempt.hash === hash));
  const end = (nonce: number): void => {
    open.delete(nonce);
    floor = Math.max(floor, nonce + 1);
  };
  const begin = (parameters: {
    nonce: number;
    purpose: string;
    signed: { hash: string; raw: string };
  }): Open => {
    const { nonce, purpose, signed } = parameters;
    const transaction = { nonce, purpose, attempts: [attemptOf(signed)] };
    open.set(nonce, transaction);
    return transaction;
  };

  return {
    countedFrom: "latest",
    async record({ chainNonce, purpose, settles, sign }) {
      if (settles !== undefined) throw new Error("jobs are settled from a database");
      const recorded = turn.then(async () => {
        let nonce = Math.max(chainNonce, floor);
        while (open.has(nonce)) nonce += 1;
        return recordOf(begin({ nonce, purpose, signed: await sign(nonce) }));
      });
      turn = recorded.catch(() => undefined);
      return await recorded;
    },
    async recordReplacement({ replaced, replacement }) {
      const transaction = find(replaced);
      if (transaction?.attempts[0]?.hash !== replaced) return false;
      transaction.attempts.unshift(attemptOf(replacement));
      return true;
    },
    async recordSent(hash) {
      const attempt = find(hash)?.attempts.find((candidate) => candidate.hash === hash);
      if (attempt !== undefined) attempt.sentAt = performance.now();
    },
    async recordMined({ hash }) {
      const transaction = find(hash);
      if (transaction === undefined) return false;
      end(transaction.nonce);
      return true;
    },
    listAttempts: async (nonce) =>
      (open.get(nonce)?.attempts ?? []).map(({ hash, raw }) => ({ hash, raw })),
    listOpen: async () =>
      inOrder(open).map((transaction) => ({
        purpose: transaction.purpose,
        transaction: recordOf(transaction),
      })),
    async promote(hash) {
      const attempts = find(hash)?.attempts;
      attempts?.sort((a, b) => Number(b.hash === hash) - Number(a.hash === hash));
    },
    async drop(hash) {
      const transaction = find(hash);
      if (transaction !== undefined) end(transaction.nonce);
    },
    async findGap({ nonce, patienceMs }) {
      const [first] = inOrder(open);
      if (first === undefined || first.nonce <= nonce) return false;
      const { attempts } = first;
      const since = Math.min(...attempts.map(({ signedAt }) => signedAt));
      const isSent = attempts.some(({ sentAt }) => sentAt !== null);
      return isSent && performance.now() - since > patienceMs;
    },
    async recordFiller({ nonce, ...signed }) {
      if (open.has(nonce)) return false;
      begin({ nonce, purpose: "gap", signed });
      return true;
    },
  };
}

const inOrder = (open: ReadonlyMap<number, Open>): Open[] =>
  [...open.values()].sort((a, b) => a.nonce - b.nonce);

const attemptOf = (signed: { hash: string; raw: string }): Attempt => ({
  ...signed,
  signedAt: performance.now(),
  sentAt: null,
});

function recordOf({ attempts, nonce }: Open): RecordedTransaction {
  const [current] = attempts;
  if (current === undefined) throw new Error("a transaction has an attempt");
  const { hash, raw, sentAt, signedAt } = current;
  const now = performance.now();
  return {
    ...{ hash, nonce, raw, ageMs: now - signedAt },
    ...{ silentMs: sentAt === null ? null : now - sentAt },
    ...{ blockNumber: null, blockHash: null, gasUsed: null },
  };
}
