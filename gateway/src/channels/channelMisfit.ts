import { isSameHex } from "@haca/protocol/isSameHex";
import { isVoucherSigned } from "@haca/protocol/voucherSignature";
import { ZeroAddress } from "ethers";
import type { PaymentSettings } from "../payments/paymentSettings.ts";
import type { ChannelPayload } from "./channelPayload.ts";
import type { ChannelRefusalCode } from "./channelRefusals.ts";
import type { ChannelSettings } from "./channelSettings.ts";

/** What of a channel is not as offered, or not signed; undefined: nothing. */
export function misfitOf(
  { channelId, claimedId, voucher }: Omit<ChannelPayload, "deposit">,
  of: { settings: Pick<PaymentSettings, "chainId" | "token">; channel: ChannelSettings },
): ChannelRefusalCode | undefined {
  const { chainId, token } = of.settings;
  const { gate, withdrawDelay } = of.channel;
  const { channel } = voucher;
  if (channelId !== claimedId) return "channel.otherId";
  if (!isSameHex(channel.receiver, gate)) return "channel.otherReceiver";
  if (!isSameHex(channel.receiverAuthorizer, gate)) return "channel.otherAuthorizer";
  if (!isSameHex(channel.token, token.address)) return "channel.otherToken";
  if (channel.withdrawDelay !== BigInt(withdrawDelay)) return "channel.otherDelay";
  if (channel.payerAuthorizer === ZeroAddress) return "channel.noKey";
  return isVoucherSigned({ chainId, voucher }) ? undefined : "channel.notSigned";
}
