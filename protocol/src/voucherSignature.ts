import { computeAddress } from "ethers";
import { type ChannelVoucher, voucherDigest } from "./channels.ts";
import { isSameHex } from "./isSameHex.ts";
import { recoverKey } from "./secp256k1.ts";

/** Whether the key that a channel names for it has signed a voucher. Where that is a contract's to say, it says no. */
export function isVoucherSigned(parameters: { chainId: bigint; voucher: ChannelVoucher }): boolean {
  const { channel, signature } = parameters.voucher;
  try {
    const key = recoverKey(voucherDigest(parameters), signature);
    return key !== undefined && isSameHex(computeAddress(key), channel.payerAuthorizer);
  } catch {
    // Fields that are not of their types, or no bytes.
    return false;
  }
}
