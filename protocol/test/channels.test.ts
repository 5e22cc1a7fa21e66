import { Signature, Wallet, ZeroAddress } from "ethers";
import { expect, it } from "vitest";
import { BATCH_SETTLEMENT_ADDRESS } from "../src/channelGates.ts";
import { type Channel, channelIdOf } from "../src/channels.ts";
import { isVoucherSigned } from "../src/voucherSignature.ts";

const chainId = 31_337n;
const payer = new Wallet(`0x${"11".repeat(32)}`);
const gate = `0x${"22".repeat(20)}`;
const channel: Channel = {
  ...{ payer: payer.address, payerAuthorizer: payer.address, receiver: gate },
  ...{ receiverAuthorizer: gate, token: `0x${"33".repeat(20)}`, withdrawDelay: 900n },
  salt: `0x${"00".repeat(32)}`,
};
const maxClaimableAmount = 5n;

const sign = (of: Channel): Promise<string> =>
  payer.signTypedData(
    {
      ...{ name: "x402 Batch Settlement", version: "1", chainId },
      verifyingContract: BATCH_SETTLEMENT_ADDRESS,
    },
    {
      Voucher: [
        { name: "channelId", type: "bytes32" },
        { name: "maxClaimableAmount", type: "uint128" },
      ],
    },
    { channelId: channelIdOf({ chainId, channel: of }), maxClaimableAmount },
  );
const isSigned = (signature: string, of = channel) =>
  isVoucherSigned({ chainId, voucher: { channel: of, maxClaimableAmount, signature } });

it("a voucher is signed by the channel's key alone, in the one form that contracts take", async () => {
  const signature = await sign(channel);
  expect(isSigned(signature)).toBe(true);
  const { compactSerialized, yParity } = Signature.from(signature);
  const start = signature.slice(0, -2);
  const others = [
    compactSerialized,
    `${start}0${yParity}`,
    `${start}${(37 + yParity).toString(16)}`,
  ];
  expect(others.map((form) => isSigned(form))).toEqual([false, false, false]);
  expect(isSigned(signature, { ...channel, payerAuthorizer: gate })).toBe(false);
});

it("whoever asks a contract to sign has no key: no signature is of the zero address", async () => {
  const ofContract = { ...channel, payerAuthorizer: ZeroAddress };
  expect(isSigned(await sign(ofContract), ofContract)).toBe(false);
  expect(isSigned(`0x${"00".repeat(64)}1b`, ofContract)).toBe(false);
});
