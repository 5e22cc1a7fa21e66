/**
 * Why an endpoint does not take a signed transaction.
 *
 * - `known`: it has it already
 * - `nonceUsed`: a mined transaction has the nonce; `nonceAhead`: one of a lower nonce is missing
 * - `underpriced`: the fees are below what it takes; `replacementUnderpriced`: below what replaces the one it has
 * - `unfunded`: the account cannot pay for it
 * - `poolFull`: it has no room for it at the moment
 * - `gasLimit`: its gas is more than a block, or a transaction, may have, or less than it needs
 * - `endpoint`: nothing about this transaction; every other one would fare the same
 * - `other`: anything else
 */
export type RefusalKind =
  | "known"
  | "nonceUsed"
  | "nonceAhead"
  | "underpriced"
  | "replacementUnderpriced"
  | "unfunded"
  | "poolFull"
  | "gasLimit"
  | "endpoint"
  | "other";

/**
 * The words of the clients, in lower case, by what they mean. The first row of which a text contains a wording decides:
 * what is more special stands first. Where each comes from:
 *
 * - geth, op-geth: `core/txpool/errors.go`, `core/txpool/validation.go`, `core/txpool/legacypool/legacypool.go`,
 *   `core/error.go`
 * - Erigon: `txpoolcfg.go` (`DiscardReason.String`), before the words of `txpool/pool.go`: `INTERNAL_ERROR: …`
 * - Nethermind: `Nethermind.TxPool/TxPoolErrorMessages.cs`; before 2026 the names in `AcceptTxResult.cs`
 * - Besu: `RpcErrorType.java`
 * - Reth, op-reth: `rpc-eth-types/src/error/mod.rs` (`RpcPoolError`, `RpcInvalidTransactionError`)
 * - Anvil: `crates/anvil/src/eth/error.rs`; Hardhat: its simulated network
 */
export const REFUSALS: readonly { kind: RefusalKind; wordings: readonly string[] }[] = [
  {
    kind: "known",
    wordings: [
      "already known",
      "alreadyknown",
      "known transaction",
      "already imported",
      "existing tx with same hash",
    ],
  },
  {
    kind: "replacementUnderpriced",
    wordings: [
      "replacement transaction underpriced",
      "replacement fee too low",
      "could not replace existing tx",
      "replacementnotallowed",
      "feetoolowtocompete",
      "insufficient gas price to replace existing transaction",
      "future transaction tries to replace pending",
    ],
  },
  {
    kind: "nonceAhead",
    wordings: [
      "nonce too high",
      "noncegap",
      "nonce gap",
      "nonce too far in future",
      "noncetoofarinfuture",
      "nonce is too distant from current sender nonce",
      "an invalid transaction with a lower nonce exists",
      "gapped nonce",
    ],
  },
  {
    kind: "nonceUsed",
    wordings: ["nonce too low", "nonce is too low", "oldnonce", "nonce has already been used"],
  },
  {
    kind: "unfunded",
    wordings: [
      "insufficient funds",
      "insufficientfunds",
      "upfront cost exceeds account balance",
      "overshot",
      "doesn't have enough funds",
    ],
  },
  {
    kind: "poolFull",
    wordings: [
      "txpool is full",
      "transaction pool is full",
      "sub-pool is full",
      "account limit exceeded",
      "in-flight transaction limit reached",
      "address already reserved",
      "transaction discarded outright due to pool size",
      "spammer",
    ],
  },
  {
    kind: "gasLimit",
    wordings: [
      "exceeds block gas limit",
      "block gas limit exceeded",
      "gas limit reached",
      "gaslimitexceeded",
      "gas limit too high",
      "exceeds maximum per-transaction gas limit",
      "exceeds transaction gas cap",
      "intrinsic gas",
      "intrinsicgas",
      "floor data gas",
      "gas required exceeds allowance",
      "gas limit exceeds",
    ],
  },
  {
    kind: "underpriced",
    wordings: [
      "underpriced",
      "gas price below minimum",
      "gas price below configured minimum",
      "gas price below current base fee",
      "less than block base fee",
      "lower than the block's base fee",
      "fee too low",
      "feetoolow",
      "priority fee below minimum",
      "gas price is less than basefee",
      "gas price supplied is too low",
      "tip cap too low",
    ],
  },
  {
    kind: "endpoint",
    wordings: [
      "rate limit",
      "too many requests",
      "limit exceeded",
      "request limit",
      "internal error",
      "method not found",
      "does not exist/is not available",
      "unauthorized",
      "timeout",
      "timed out",
      "header not found",
      "missing trie node",
      "world state unavailable",
      "initial sync is still in progress",
      "transaction pool not enabled",
      "node is syncing",
    ],
  },
];

/** What an endpoint means by its words. */
export function refusalKindOf(message: string): RefusalKind {
  const text = message.toLowerCase();
  const row = REFUSALS.find(({ wordings }) => wordings.some((wording) => text.includes(wording)));
  return row?.kind ?? "other";
}

/** Where clients state the lowest tip that they take, in wei per gas: after these words. */
const MINIMUM_TIP = /(?:minimum needed|minimum required priority fee) (\d{1,30})\b/i;

/** The lowest tip that a refusal asks for, in wei per gas; undefined where it does not say. */
export function minimumTipOf(message: string): bigint | undefined {
  const [, wei] = MINIMUM_TIP.exec(message) ?? [];
  return wei === undefined ? undefined : BigInt(wei);
}
