import type { Channel } from "@haca/protocol/channels";
import { channelAccount } from "@haca/protocol/pageOpening";
import type { PaymentRequirements } from "@x402/core/types";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  toClientEvmSigner,
} from "@x402/evm";
import {
  BatchSettlementEvmScheme,
  InMemoryClientChannelStorage,
  updateChannelFromSettle,
} from "@x402/evm/batch-settlement/client";
import { expect } from "chai";
import { AbiCoder, id } from "ethers";
import { network } from "hardhat";
import { privateKeyToAccount } from "viem/accounts";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import { DELAY, gateTerms } from "../utils/channelFixture.ts";
import type { Mock } from "../utils/deployMock.ts";
import { deployEscrow, FEE, KIND, MOST, PRICE, settleAlone } from "../utils/escrowFixture.ts";
import { makeResult } from "../utils/pageFixture.ts";

/** The library's authorisations end by the wall clock, which is years behind the tests' chain. */
const DECADE_S = 10 * 366 * 24 * 3_600;

/** What the library's client signs. */
type Signed = {
  type: "deposit" | "voucher";
  channelConfig: Channel;
  voucher: { channelId: string; maxClaimableAmount: string; signature: string };
  deposit?: {
    amount: string;
    authorization: {
      erc3009Authorization: Record<"validAfter" | "validBefore" | "salt" | "signature", string>;
    };
  };
};

const connection = await network.create();

/** Gates over x402's contract at its published address, and a gate of the enclave's node. */
async function deploy() {
  const base = await deployEscrow(connection);
  const { ethers, escrow } = base;
  const gates = await ethers.deployContract("ChannelGates", [
    ...([await escrow.getAddress(), BATCH_SETTLEMENT_ADDRESS] as const),
  ]);
  const terms = await gateTerms(base);
  await gates.open(terms);
  const gate = await ethers.getContractAt("ChannelGate", await gates.gateOf(terms));
  const batch = (await ethers.getContractAt(
    "BatchSettlementStandIn",
    BATCH_SETTLEMENT_ADDRESS,
    base.attacker,
  )) as unknown as Mock<"BatchSettlementStandIn">;
  return { ...base, gate, batch };
}

describe("ChannelGate: the stock client of x402", () => {
  let f: Awaited<ReturnType<typeof deploy>>;

  before(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  it("test_IsPaidByWhatItSigned_ForWhatWasProven_AndNoMore", async () => {
    const storage = new InMemoryClientChannelStorage();
    const account = privateKeyToAccount(f.payer.privateKey as `0x${string}`);
    const client = new BatchSettlementEvmScheme(toClientEvmSigner(account), { storage });
    const gate = await f.gate.getAddress();
    const wanted = {
      ...{ scheme: "batch-settlement", network: `eip155:${f.chainId}`, payTo: gate },
      ...{ asset: await f.token.getAddress(), amount: `${MOST}`, maxTimeoutSeconds: DECADE_S },
      extra: { name: "OPG", version: "1", receiverAuthorizer: gate, withdrawDelay: Number(DELAY) },
    } as PaymentRequirements;
    const sign = async () => (await client.createPaymentPayload(2, wanted)).payload as Signed;

    const first = await sign();
    expect([first.type, first.channelConfig.receiver]).to.deep.equal(["deposit", gate]);
    const { channelId } = first.voucher;
    const { amount = "0", authorization } = first.deposit ?? {};
    const { salt, signature, validAfter, validBefore } = authorization?.erc3009Authorization ?? {};
    const collectorData = AbiCoder.defaultAbiCoder().encode(
      ["uint256", "uint256", "uint256", "bytes"],
      [validAfter, validBefore, salt, signature],
    );
    // Anyone brings it.
    await f.batch.deposit(
      ...([first.channelConfig, amount] as const),
      ...([ERC3009_DEPOSIT_COLLECTOR_ADDRESS, collectorData] as const),
    );
    const claimed = async () => (await f.batch.channels(channelId))[1];
    expect((await f.batch.channels(channelId))[0]).to.equal(BigInt(amount));

    const prove = async (index: number) => {
      const result = await makeResult(f, index, {
        ...{ inputHash: id(`question ${index}`), price: PRICE },
        requester: channelAccount(channelId),
      });
      await settleAlone(f, result);
      await f.gate.connect(f.attacker).countResult(channelId, result, KIND.TEE);
    };
    const claim = ({ channelConfig: channel, voucher }: Signed) =>
      f.gate.connect(f.attacker).claim([
        {
          channel,
          maxClaimableAmount: BigInt(voucher.maxClaimableAmount),
          signature: voucher.signature,
        },
      ]);
    await prove(1);
    await claim(first);
    expect(await claimed()).to.equal(PRICE);

    // The service says what the answer cost, and the next voucher goes on from there.
    const server = { chargedAmount: `${PRICE}`, chargedCumulativeAmount: `${PRICE}` };
    const local = { channelId, requestAmount: `${MOST}`, depositAmount: amount };
    await updateChannelFromSettle(storage, { server, local } as Parameters<
      typeof updateChannelFromSettle
    >[1]);
    const second = await sign();
    expect(second.type).to.equal("voucher");
    expect(second.voucher.maxClaimableAmount).to.equal(`${PRICE + MOST}`);
    await prove(2);
    await claim(second);
    expect(await claimed()).to.equal(2n * PRICE);
    await f.gate.connect(f.attacker).collect(await f.token.getAddress());
    expect(await f.token.balanceOf(f.seller.address)).to.equal(2n * (PRICE - FEE));
    expect(await f.token.balanceOf(f.feeReceiver.address)).to.equal(2n * FEE);
  });
});
