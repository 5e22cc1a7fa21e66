import { type Channel, channelIdOf } from "@haca/protocol/channels";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import { toClientEvmSigner } from "@x402/evm";
import {
  BatchSettlementEvmScheme,
  type ClientChannelStorage,
  InMemoryClientChannelStorage,
} from "@x402/evm/batch-settlement/client";
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import type { Wallet } from "ethers";
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const NETWORK = "eip155:31337";

/** The stock client of x402, which pays by channel, and the payments that it has made. */
export function channelClient(parameters: {
  payer: Wallet;
  rpcUrl: string;
  storage?: ClientChannelStorage;
  /** of its deposits, where it is offered; the first that is if left out */
  method?: string;
}): { scheme: BatchSettlementEvmScheme; paying: typeof fetch; payments: string[] } {
  const { method, payer, rpcUrl, storage = new InMemoryClientChannelStorage() } = parameters;
  const account = privateKeyToAccount(payer.privateKey as `0x${string}`);
  const reader = createPublicClient({ transport: http(rpcUrl) });
  const scheme = new BatchSettlementEvmScheme(toClientEvmSigner(account, reader), { storage });
  const payments: string[] = [];
  const seeing: typeof fetch = (input, init) => {
    const header = (input as Request).headers.get("payment-signature");
    if (header !== null) payments.push(header);
    return fetch(input, init);
  };
  const paying = wrapFetchWithPaymentFromConfig(seeing, {
    schemes: [{ network: NETWORK, client: scheme }],
    spendControls: false,
    ...(method !== undefined && {
      paymentRequirementsSelector: (_, offers) =>
        offers.find(({ extra }) => extra.assetTransferMethod === method) as never,
    }),
  });
  return { scheme, paying, payments };
}

/** What the stock client signs to bring tokens into a channel. */
export type DepositPayload = {
  channelConfig: Channel;
  voucher: { channelId: string };
  deposit: {
    amount: string;
    authorization: {
      erc3009Authorization: Record<"validAfter" | "validBefore" | "salt" | "signature", string>;
    };
  };
};

/** What a response says that it has cost, what the channel's answers have in all, and by which deposit. */
export function chargedIn(response: Response) {
  const { extra, transaction } = decodePaymentResponseHeader(
    response.headers.get("payment-response") ?? "",
  ) as unknown as {
    transaction: string;
    extra: { chargedAmount: string; channelState: { chargedCumulativeAmount: string } };
  };
  const { chargedCumulativeAmount: inAll } = extra.channelState;
  return { charged: extra.chargedAmount, inAll, transaction };
}

/** What was signed in a payment's header. */
export function signedIn(header = "") {
  const { channelConfig, type, voucher } = decodePaymentSignatureHeader(header).payload as {
    type: string;
    channelConfig: Channel;
    voucher: { maxClaimableAmount: string };
  };
  const channelId = channelIdOf({ chainId: 31_337n, channel: channelConfig });
  return { type, channel: channelConfig, channelId, sum: voucher.maxClaimableAmount };
}
