import type { Channel } from "@haca/protocol/channels";
import { channelAccount, packRecords } from "@haca/protocol/pageOpening";
import { encodeRequestId } from "@haca/protocol/requestId";
import { id, Wallet } from "ethers";
import {
  type ChannelFixture,
  channelOf,
  channelResult,
  claim,
  countAlone,
  deployChannels,
  finalPage,
  fund,
  voucher,
} from "../utils/channelFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const PAGE = 256;
const PAYERS = 16;
/** Eight bytes, none of them zero: about 0.12 tokens. */
const PRICE = 123_456_789_012_345_679n;
/** Of two pages. */
const MUCH = 2n * BigInt(PAGE) * PRICE;

/** A whole page of results of payment channels: counted, claimed and paid in one transaction, of one channel and of 16. */
export const measureChannels: Measure = async (connection) => {
  const f = await deployChannels(connection);
  const [one, ...others] = await channelsOf(f);
  if (one === undefined) throw new Error("no channel");
  const add = async (page: bigint, channels: readonly Funded[]) =>
    perResult(await claimPage(f, page, channels));
  // The first claim pays for what was zero at gate, payee and receiver of the fee.
  await countAlone(f, 0, { price: PRICE });
  await claim(f, MUCH);
  await f.gate.collect(f.channel.token);
  return {
    samples: {
      "channel.claim256": [await add(1n, [one])],
      "channel.claim256.payers16": [await add(2n, others)],
    },
    notes: {
      "channel.claim256":
        "for each of 256 results of one channel, a whole page: counted, claimed and paid in one transaction",
      "channel.claim256.payers16": "the same, of 16 channels that nothing was claimed of before",
    },
  };
};

type Funded = { channel: Channel; channelId: string; payer: Wallet };

const perResult = (gas: bigint) => gas / BigInt(PAGE);

/** The fixture's channel, and 16 of other payers. */
async function channelsOf(f: ChannelFixture): Promise<Funded[]> {
  const funded = [{ channel: f.channel, channelId: f.channelId, payer: f.payer }];
  await fund(f, f.channel, MUCH);
  for (let index = 0; index < PAYERS; index++) {
    const payer = new Wallet(id(`payer ${index}`), f.ethers.provider);
    await f.networkHelpers.setBalance(payer.address, 10n ** 18n);
    await f.token.transfer(payer.address, MUCH);
    await f.token.connect(payer).approve(f.collector.target, MUCH);
    const channel = await channelOf(f, { payer: payer.address });
    await fund(f, channel, MUCH);
    funded.push({ channel, channelId: await f.batch.getChannelId(channel), payer });
  }
  return funded;
}

/** Settles a whole page of results in turns of channels, and claims it. */
async function claimPage(f: ChannelFixture, page: bigint, channels: readonly Funded[]) {
  const { timestamp } = await channelResult(f, 0);
  const results = Array.from({ length: PAGE }, (_, index) => {
    const { channelId } = channels[index % channels.length] as Funded;
    return {
      ...{ modelVersion: f.versionId, requester: channelAccount(channelId), timestamp },
      ...{ inputHash: id(`question ${index}`), outputHash: id(`answer ${index}`), price: PRICE },
      requestId: encodeRequestId({
        node: f.terms.node,
        nonce: page * BigInt(PAGE) + BigInt(index),
      }),
      teeId: f.enclave.teeId,
    };
  });
  const { header, results: signed } = await finalPage(f, results, page);
  const sections = channels.map(({ channelId }) => ({
    ...{ channelId, modelVersion: f.versionId },
    records: packRecords(
      [...signed.values()].filter(({ result }) => result.requester === channelAccount(channelId)),
    ),
  }));
  const vouchers = await Promise.all(
    channels.map(({ channel, payer }) => voucher(f, channel, MUCH, payer)),
  );
  const { interface: code } = f.gate;
  return gasOf(
    f.gate
      .connect(f.attacker)
      .multicall([
        code.encodeFunctionData("countPage", [header, sections, []]),
        code.encodeFunctionData("claim", [vouchers]),
        code.encodeFunctionData("collect", [f.channel.token]),
      ]),
  );
}
