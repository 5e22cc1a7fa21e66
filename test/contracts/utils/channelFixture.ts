import type { Channel } from "@haca/protocol/channels";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { channelAccount, openingSiblings, packRecords } from "@haca/protocol/pageOpening";
import { ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import { BATCH_SETTLEMENT_ADDRESS, BATCH_SETTLEMENT_DOMAIN, voucherTypes } from "@x402/evm";
import { id, MaxUint256, parseEther, type Wallet, ZeroHash } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { areGenuine } from "../../../testing/uptoContracts.ts";
import { deployMock } from "./deployMock.ts";
import { ALL_KINDS, deployEscrow, KIND, PRICE, settleAlone } from "./escrowFixture.ts";
import { DAY, makePage, makeResult, PARAMETERS, type Page, propose, sign } from "./pageFixture.ts";

export const DEPOSIT = parseEther("200");
/** More than any test pays, and less than is in the channel. */
export const MUCH = 50n * PRICE;
/** Longer than an hour, the long road and a day. */
export const DELAY = 6n * DAY;

/** Gates beside the escrow, what x402's channels do, and a gate of the enclave's node. */
async function deployGate(connection: NetworkConnection) {
  const base = await deployEscrow(connection);
  const { ethers, escrow, token, payer, otherPayer } = base;
  const standIn = await deployMock(ethers, "BatchSettlementStandIn");
  // The genuine one is where the escrow's fixture has put it.
  const batch = areGenuine ? (standIn.attach(BATCH_SETTLEMENT_ADDRESS) as typeof standIn) : standIn;
  const collector = await deployMock(ethers, "ApprovedCollector");
  const gates = await ethers.deployContract("ChannelGates", [
    await escrow.getAddress(),
    batch.target,
  ]);
  const terms = await gateTerms(base);
  await gates.open(terms);
  const gate = await ethers.getContractAt("ChannelGate", await gates.gateOf(terms));
  for (const account of [payer, otherPayer]) {
    await token.connect(account).approve(collector.target, MaxUint256);
  }
  return { ...base, batch, collector, gates, gate, terms };
}
type Parts = Awaited<ReturnType<typeof deployGate>>;

/** The same with a channel of the payer's to the gate, and 200 tokens in it. */
export async function deployChannels(connection: NetworkConnection) {
  const parts = await deployGate(connection);
  const channel = await channelOf(parts);
  await fund(parts, channel);
  const channelId: string = await parts.batch.getChannelId(channel);
  return { ...parts, channel, channelId };
}
export type ChannelFixture = Awaited<ReturnType<typeof deployChannels>>;

/** Terms of a gate of the enclave's node. */
export async function gateTerms(
  f: Awaited<ReturnType<typeof deployEscrow>>,
  overrides: Partial<{ node: string; payee: string; kinds: bigint }> = {},
) {
  const [feeBps, feeReceiver] = await f.escrow.fee();
  return {
    ...{ node: nodeOfEnclave(f.enclave.teeId), payee: f.seller.address },
    ...{ feeReceiver, feeBps, kinds: ALL_KINDS, ...overrides },
  };
}

/** A channel of the payer's to the gate. */
export async function channelOf(f: Parts, overrides: Partial<Channel> = {}): Promise<Channel> {
  const gate = await f.gate.getAddress();
  const payer = overrides.payer ?? f.payer.address;
  return {
    ...{ payer, payerAuthorizer: payer, receiver: gate, receiverAuthorizer: gate },
    ...{ token: await f.token.getAddress(), withdrawDelay: DELAY, salt: ZeroHash },
    ...overrides,
  };
}

/** Puts tokens into a channel, by anyone. */
export const fund = (f: Parts, channel: Channel, amount = DEPOSIT) =>
  f.batch.deposit(channel, amount, f.collector.target, "0x");

/** A voucher as the protocol's client signs it. */
export async function voucher(
  f: Parts,
  channel: Channel,
  maxClaimableAmount: bigint,
  signer: Wallet = f.payer,
) {
  const domain = {
    ...BATCH_SETTLEMENT_DOMAIN,
    ...{ chainId: f.chainId, verifyingContract: f.batch.target },
  };
  const types = { Voucher: [...voucherTypes.Voucher] };
  const channelId = await f.batch.getChannelId(channel);
  const signature = await signer.signTypedData(domain, types, { channelId, maxClaimableAmount });
  return { channel, maxClaimableAmount, signature };
}

/** A result of the enclave for a place, of a channel. */
export async function channelResult(
  f: ChannelFixture,
  index: number,
  overrides: Partial<InferenceResult> = {},
): Promise<InferenceResult> {
  return makeResult(f, index, {
    ...{ inputHash: id(`question ${index}`), price: PRICE },
    ...{ requester: channelAccount(f.channelId), ...overrides },
  });
}

/** A page of results, signed by the session key. */
export const pageOfResults = (
  f: ChannelFixture,
  results: readonly InferenceResult[],
  page = 0n,
): Page =>
  makePage(
    f,
    Object.fromEntries(
      results.map((result) => [
        Number(BigInt(result.requestId) % 256n),
        { result, signature: sign(f, result) },
      ]),
    ),
    { ledgerPage: ledgerPageOf({ node: nodeOfEnclave(f.enclave.teeId), index: page }) },
  );

/** Proposes a page and waits until it is final. */
export async function finalPage(
  f: ChannelFixture,
  results: readonly InferenceResult[],
  number = 0n,
): Promise<Page> {
  const page = pageOfResults(f, results, number);
  await propose(f, page);
  await f.networkHelpers.time.increase(PARAMETERS.longRoad + 1n);
  return page;
}

/** What `countPage` takes for results at places, as those of a channel. */
export function openingOf(
  f: ChannelFixture,
  page: Page,
  places: readonly number[],
  channelId = f.channelId,
) {
  const results = places.map((place) => {
    const signed = page.results.get(place);
    if (signed === undefined) throw new Error(`no result at ${place}`);
    return signed;
  });
  const section = { channelId, modelVersion: f.versionId, records: packRecords(results) };
  return {
    ...{ header: page.header, sections: [section] },
    siblings: openingSiblings({ tree: page.tree, places }),
  };
}

/** Counts results of a page, by anyone. */
export const count = (
  f: ChannelFixture,
  { header, sections, siblings }: ReturnType<typeof openingOf>,
) => f.gate.connect(f.attacker).countPage(header, sections, siblings);

/** Results of the channel at places. */
export const resultsAt = (f: ChannelFixture, places: readonly number[]) =>
  Promise.all(places.map((place) => channelResult(f, place)));

/** Settles a result of the channel alone, and counts it, by anyone. */
export async function countAlone(
  f: ChannelFixture,
  index: number,
  overrides: Partial<InferenceResult> = {},
) {
  const result = await channelResult(f, index, overrides);
  await settleAlone(f, result);
  return f.gate.connect(f.attacker).countResult(f.channelId, result, KIND.TEE);
}

/** Claims by a voucher of this height, by anyone. */
export const claim = async (
  f: ChannelFixture,
  most: bigint,
  channel: Channel = f.channel,
  signer: Wallet = f.payer,
) => f.gate.connect(f.attacker).claim([await voucher(f, channel, most, signer)]);
