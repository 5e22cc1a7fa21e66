import { keccak256 } from "ethers";
import { answerOf, revertOf, rpcFailure } from "../chain/rpcErrors.ts";
import { NonRetryableError } from "../errors.ts";
import { recordSent, recordSigned } from "../jobs/transactions.ts";
import type { AccountContext } from "./accountContext.ts";
import { broadcastAttempt } from "./broadcastAttempt.ts";
import type { ChainView } from "./readChainView.ts";

/**
 * Sends one call from the node's account for another purpose than settling a job: simulated first, with a nonce from
 * the one allocator, on disk before it is broadcast. From then on `tendAccount` looks after it, in whichever process
 * calls it: replaces, repeats and follows it to its receipt, also after a kill between the two.
 *
 * Returns the nonce, which stays the same through replacements, or undefined while gas is above the ceiling.
 * @throws NonRetryableError `transaction.wouldRevert`, RetryableError where the endpoint fails
 */
export async function sendTransaction(parameters: {
  context: AccountContext;
  view: ChainView;
  /** short word for logs and status, such as `heartbeat` */
  purpose: string;
  to: string;
  /** calldata, hex */
  data: string;
}): Promise<{ nonce: number; hash: string } | undefined> {
  const { context, view, purpose, to, data } = parameters;
  const { chain, database, gate, logger, metrics, wallet } = context;
  const { provider } = chain;
  const fees = gate.choose(view.market);
  if (fees === undefined) return undefined;
  const gas = await provider
    .estimateGas({ from: wallet.address, to, data })
    .catch((cause: unknown) => {
      const revert = revertOf(cause);
      if (revert === undefined) throw rpcFailure(cause);
      const message = `${purpose}: ${revert.message}`;
      throw new NonRetryableError({ code: "transaction.wouldRevert", message, cause });
    });
  const gasLimit = (gas * 12n) / 10n;
  const chainNonce = await answerOf(provider.getTransactionCount(wallet.address, "pending"));
  const { hash, nonce, raw } = await database.transaction((tx) =>
    recordSigned({
      tx,
      chainNonce,
      requestId: null,
      purpose,
      async sign(nonce) {
        const { chainId } = chain;
        const request = { type: 2, chainId, nonce, to, data, gasLimit, ...fees };
        const raw = await wallet.signTransaction(request);
        return { hash: keccak256(raw), raw };
      },
    }),
  );
  metrics.transactions.inc({ event: "signed" });
  logger.info({ purpose, transaction: hash, nonce }, "sending");
  const outcome = await broadcastAttempt({ context, view, transaction: { nonce, raw } });
  if (outcome.state === "sent") await recordSent({ database, hash });
  return { nonce, hash };
}
