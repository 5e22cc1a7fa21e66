import { setTimeout as delay } from "node:timers/promises";
import { type FacilitatorEvmSigner, toFacilitatorEvmSigner } from "@x402/evm";
import { encodeFunctionData, type Hex, type PublicClient } from "viem";
import { WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { Sender } from "../sender.ts";
import { isTransportFailure } from "./paymentFailures.ts";

/** How long a settlement waits for its receipt; a client that asks again then gets the answer. */
const PATIENCE_MS = 60_000;

/** Whatever is no account with a key. */
const SOME_CODE: Hex = "0x00";

export type PaymentSigner = {
  signer: FacilitatorEvmSigner;
  /** why an answer of the library may be wrong: endpoint or database failed on the way */
  failure: () => unknown;
  /** transaction that was mined in place of the one that the library knows, which may have been replaced since */
  minedHash: () => string | undefined;
};

/**
 * What the library does with a chain, for one request: reads go to the endpoint, transactions through the one queue of this
 * account. The library takes whatever fails for a payment that is bad, so that failures are noted here.
 */
export function createPaymentSigner(parameters: {
  client: PublicClient;
  /** address of the token that payments are in */
  token: string;
  sender: Sender;
  pollMs: number;
  /** names the payment's transaction */
  purpose: string;
  /** nonces of transactions that were sent for payments, by hash */
  nonces: Map<string, number>;
}): PaymentSigner {
  const { client, nonces, pollMs, purpose, sender, token } = parameters;
  const account = sender.account as Hex;
  let failure: unknown;
  let minedHash: string | undefined;

  const noting = async <T>(operation: () => Promise<T>): Promise<T> => {
    try {
      return await operation();
    } catch (error) {
      if (isTransportFailure(error)) failure ??= error;
      throw error;
    }
  };

  const send = async (call: { to: string; data: string }): Promise<Hex> => {
    const sent = await noting(() => sender.send({ purpose, ...call })).catch((error: unknown) => {
      // The library tells a contract's reasons apart by these words.
      throw error instanceof WouldRevertError ? new Error(error.revert.message) : error;
    });
    if (sent === undefined) throw new Error("gas is above this facilitator's ceiling");
    nonces.set(sent.hash, sent.nonce);
    return sent.hash as Hex;
  };

  const waitFor = async (hash: string) => {
    const nonce = nonces.get(hash);
    for (let waited = 0; nonce !== undefined && waited < PATIENCE_MS; waited += pollMs) {
      const receipt = await sender.findMined({ nonce });
      if (receipt !== undefined) {
        minedHash = receipt.hash;
        nonces.delete(hash);
        return { status: receipt.status === 1 ? "success" : "reverted", logs: receipt.logs };
      }
      await delay(pollMs);
    }
    throw new Error(`transaction ${hash} is not mined yet`);
  };

  const signer = toFacilitatorEvmSigner({
    address: account,
    // As from this account: proxies look at who calls.
    readContract: (call) => noting(() => client.readContract({ account, ...call } as never)),
    verifyTypedData: (message) => noting(() => client.verifyTypedData(message as never)),
    // The library asks for the token's code beside everything else, and leaves the answer where something else has
    // decided: a failure would end this process as one that nobody has caught. That the code is there is known.
    getCode: async ({ address }) =>
      address.toLowerCase() === token.toLowerCase()
        ? SOME_CODE
        : await noting(() => client.getCode({ address })),
    writeContract: ({ address, dataSuffix = "0x", ...call }) =>
      send({ to: address, data: encodeFunctionData(call as never) + dataSuffix.slice(2) }),
    sendTransaction: send,
    waitForTransactionReceipt: async ({ hash }) => (await waitFor(hash)) as never,
  });
  return { signer, failure: () => failure, minedHash: () => minedHash };
}
