import { describe, expect, it } from "vitest";
import {
  minimumTipOf,
  REFUSALS,
  type RefusalKind,
  refusalKindOf,
} from "../src/transactions/refusals.ts";

/** Answers of the clients as their sources make them; `refusals.ts` names the files. */
const ANSWERS: Record<string, [RefusalKind, string][]> = {
  "geth and op-geth": [
    ["known", "already known"],
    ["underpriced", "transaction underpriced"],
    ["underpriced", "transaction underpriced: gas tip cap 1, minimum needed 1000000"],
    ["underpriced", "transaction gas price below minimum: gas tip cap 1, minimum needed 1000000"],
    [
      "underpriced",
      "max fee per gas less than block base fee: address 0x71, maxFeePerGas: 0, baseFee: 875000000",
    ],
    ["replacementUnderpriced", "replacement transaction underpriced"],
    ["replacementUnderpriced", "future transaction tries to replace pending"],
    ["nonceUsed", "nonce too low: next nonce 5, tx nonce 3"],
    ["nonceAhead", "nonce too high: tx nonce 9, gapped nonce 5"],
    [
      "unfunded",
      "insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000",
    ],
    ["poolFull", "txpool is full"],
    ["poolFull", "account limit exceeded: pooled 16 txs"],
    ["poolFull", "in-flight transaction limit reached for delegated accounts"],
    ["gasLimit", "exceeds block gas limit"],
    ["gasLimit", "exceeds maximum per-transaction gas limit"],
    ["gasLimit", "transaction gas limit too high (cap: 16777216, tx: 20000000)"],
    ["gasLimit", "intrinsic gas too low: gas 20000, minimum needed 21000"],
    ["other", "tx fee (1.50 ether) exceeds the configured cap (1.00 ether)"],
  ],
  Erigon: [
    ["known", "already known"],
    ["known", "INTERNAL_ERROR: existing tx with same hash"],
    ["underpriced", "underpriced"],
    ["underpriced", "fee too low"],
    ["replacementUnderpriced", "replacement transaction underpriced"],
    ["replacementUnderpriced", "INTERNAL_ERROR: could not replace existing tx"],
    ["nonceUsed", "nonce too low"],
    ["unfunded", "insufficient funds"],
    ["poolFull", "pending sub-pool is full"],
    ["poolFull", "baseFee sub-pool is full"],
    ["poolFull", "spammer"],
    ["gasLimit", "IntrinsicGas"],
  ],
  Nethermind: [
    ["known", "already known"],
    ["known", "AlreadyKnown"],
    ["underpriced", "transaction underpriced"],
    ["underpriced", "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7"],
    ["replacementUnderpriced", "FeeTooLowToCompete"],
    ["replacementUnderpriced", "ReplacementNotAllowed"],
    ["nonceUsed", "OldNonce, Current nonce: 5, nonce of rejected tx: 3"],
    ["nonceAhead", "NonceGap, Future nonce. Expected nonce: 5"],
    ["nonceAhead", "nonce too far in future"],
    ["unfunded", "InsufficientFunds, Balance is 0 less than sending value + gas 1"],
    ["unfunded", "insufficient funds for gas * price + value"],
    ["gasLimit", "GasLimitExceeded, Gas limit: 30000000, gas limit of rejected tx: 40000000"],
    ["gasLimit", "gas limit reached"],
    ["endpoint", "node is syncing"],
  ],
  Besu: [
    ["known", "Known transaction"],
    ["underpriced", "Gas price below configured minimum gas price"],
    ["underpriced", "Gas price below current base fee"],
    ["replacementUnderpriced", "Replacement transaction underpriced"],
    ["nonceUsed", "Nonce too low"],
    ["nonceAhead", "Nonce too high"],
    ["nonceAhead", "Transaction nonce is too distant from current sender nonce"],
    ["nonceAhead", "An invalid transaction with a lower nonce exists"],
    ["unfunded", "Upfront cost exceeds account balance"],
    ["gasLimit", "Transaction gas limit exceeds block gas limit"],
    ["gasLimit", "Intrinsic gas exceeds gas limit"],
    ["other", "Transaction fee cap exceeded"],
    ["endpoint", "Initial sync is still in progress"],
  ],
  "Reth and op-reth": [
    ["known", "already known"],
    ["underpriced", "transaction underpriced"],
    ["underpriced", "max fee per gas less than block base fee"],
    ["underpriced", "transaction priority fee below minimum required priority fee 1000000"],
    ["replacementUnderpriced", "replacement transaction underpriced"],
    ["nonceUsed", "nonce too low: next nonce 5, tx nonce 3"],
    ["nonceAhead", "nonce too high"],
    ["unfunded", "insufficient funds for gas * price + value: have 0 want 1"],
    ["poolFull", "txpool is full"],
    ["poolFull", "address already reserved"],
    ["gasLimit", "exceeds block gas limit"],
    ["gasLimit", "intrinsic gas too high"],
    ["gasLimit", "gas required exceeds allowance (0)"],
  ],
  "Anvil and Hardhat": [
    ["known", "transaction already imported"],
    ["replacementUnderpriced", "replacement transaction underpriced"],
    ["nonceUsed", "nonce too low"],
    ["unfunded", "Sender doesn't have enough funds to send tx. The max upfront cost is: 1"],
    [
      "underpriced",
      "Transaction maxFeePerGas (1) is too low. It is lower than the block's base fee",
    ],
  ],
  "providers in front of nodes": [
    ["endpoint", "daily request count exceeded, request rate limited"],
    ["endpoint", "Too Many Requests"],
    ["endpoint", "Internal error"],
    ["other", "something that nobody has said yet"],
  ],
};

describe.each(Object.entries(ANSWERS))("what %s answer", (_, answers) => {
  it.each(answers)("is %s: %s", (kind, message) => {
    expect(refusalKindOf(message)).toBe(kind);
  });
});

it("every wording of the table means what its row says", () => {
  for (const { kind, wordings } of REFUSALS) {
    for (const wording of wordings)
      expect([wording, refusalKindOf(wording)]).toEqual([wording, kind]);
  }
});

it("the tip that is asked for is read where it is stated", () => {
  expect(minimumTipOf("transaction underpriced: gas tip cap 1, minimum needed 1000000")).toBe(
    1_000_000n,
  );
  expect(minimumTipOf("transaction priority fee below minimum required priority fee 7")).toBe(7n);
  expect(minimumTipOf("transaction underpriced")).toBeUndefined();
});
