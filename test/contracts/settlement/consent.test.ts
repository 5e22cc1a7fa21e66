import { encodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { expect } from "chai";
import { concat, dataSlice, Signature, toBeHex, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { deployMock } from "../utils/deployMock.ts";
import {
  deploySettlement,
  type Inference,
  latestTimestamp,
  makeInference,
  type SettlementFixture,
  signResult,
} from "../utils/settlementFixture.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const deploy = () => deploySettlement(connection);
/** Order of secp256k1. */
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("InferenceSettlement: the node's consent", () => {
  let fixture: SettlementFixture;
  let inference: Inference;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
    inference = await inferBy(fixture.node.address);
  });

  const inferBy = async (node: string, nonce = 0n): Promise<Inference> =>
    makeInference({ ...fixture, node, nonce, timestamp: await latestTimestamp(fixture) });

  const sign = (signer = fixture.node, domain = fixture.domain) =>
    signResult({ signer, domain, result: inference.result });

  /** Somebody else than the node settles. */
  const relay = ({ result, words, proof }: Inference, signature: string) =>
    fixture.settlement.connect(fixture.relayer).settleZkml(result, words, proof, signature);

  const expectRefusal = (settling: Promise<unknown>, node: string) =>
    expect(settling)
      .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_NodeSignatureInvalid")
      .withArgs(node);

  it("test_RevertWhen_AttackerBurnsAnotherNodesRequest", async () => {
    // A true proof, made by the attacker for the victim's request id.
    const attacker = fixture.otherNode;
    const { result, words, proof } = inference;
    await expectRefusal(
      fixture.settlement.connect(attacker).settleZkml(result, words, proof, "0x"),
      fixture.node.address,
    );
    await expectRefusal(
      fixture.settlement.connect(attacker).settleZkml(result, words, proof, await sign(attacker)),
      fixture.node.address,
    );
    expect(await fixture.settlement.isSettled(result.requestId)).to.equal(false);
  });

  it("test_RevertWhen_NodesOwnCallIsCopied", async () => {
    await expectRefusal(relay(inference, "0x"), fixture.node.address);
  });

  it("test_FrontRunningARelayChangesNothing", async () => {
    const signature = await sign();
    const { result, words, proof } = inference;
    await expect(
      fixture.settlement.connect(fixture.otherNode).settleZkml(result, words, proof, signature),
    ).to.emit(fixture.settlement, "InferenceSettled");
    await expect(relay(inference, signature)).to.be.revertedWithCustomError(
      fixture.settlement,
      "InferenceSettlement_AlreadySettled",
    );
  });

  it("test_RevertWhen_SignatureIsOfAnotherResult", async () => {
    const signature = await sign();
    const result = { ...inference.result, price: 1n };
    await expectRefusal(relay({ ...inference, result }, signature), fixture.node.address);
  });

  it("test_RevertWhen_SignatureIsForAnotherChainOrContract", async () => {
    for (const change of [{ chainId: 1n }, { verifyingContract: fixture.relayer.address }]) {
      const signature = await sign(fixture.node, { ...fixture.domain, ...change });
      await expectRefusal(relay(inference, signature), fixture.node.address);
    }
  });

  it("test_RevertWhen_SignatureHasHighS", async () => {
    const { r, s, yParity } = Signature.from(await sign());
    const high = concat([
      ...[r, toBeHex(CURVE_ORDER - BigInt(s), 32)],
      toBeHex(yParity === 0 ? 28 : 27),
    ]);
    await expectRefusal(relay(inference, high), fixture.node.address);
  });

  it("test_RevertWhen_SignatureLengthWrong", async () => {
    const signature = await sign();
    for (const wrong of ["0x", dataSlice(signature, 0, 64), concat([signature, "0x00"])]) {
      await expectRefusal(relay(inference, wrong), fixture.node.address);
    }
  });

  it("test_RevertWhen_RequestOfTheZeroAddress", async () => {
    // A failed recovery gives the zero address; it must not be taken for a node.
    const orphan = await inferBy(ZeroAddress);
    expect(orphan.result.requestId).to.equal(encodeRequestId({ node: ZeroAddress, nonce: 0n }));
    const garbage = concat([toBeHex(1n, 32), toBeHex(1n, 32), "0x1d"]);
    await expectRefusal(relay(orphan, garbage), ZeroAddress);
    await expectRefusal(relay(orphan, "0x"), ZeroAddress);
  });

  describe("of a contract (ERC-1271)", () => {
    const deployWallet = async () => {
      const wallet = await deployMock(fixture.ethers, "OwnedWallet", [fixture.node.address]);
      inference = await inferBy(await wallet.getAddress());
      return wallet;
    };

    it("test_SettlesWhen_WalletAccepts", async () => {
      await deployWallet();
      await expect(relay(inference, await sign())).to.emit(fixture.settlement, "InferenceSettled");
    });

    it("test_RevertWhen_WalletRefuses", async () => {
      const wallet = await deployWallet();
      await expectRefusal(
        relay(inference, await sign(fixture.otherNode)),
        await wallet.getAddress(),
      );
    });

    it("test_RevertWhen_WalletChangedItsMind", async () => {
      const wallet = await deployWallet();
      const signature = await sign();
      await wallet.setOwner(fixture.otherNode.address);
      await expectRefusal(relay(inference, signature), await wallet.getAddress());
    });

    it("test_RevertWhen_WalletsOwnerCallsWithoutSignature", async () => {
      const wallet = await deployWallet();
      const { result, words, proof } = inference;
      await expectRefusal(
        fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x"),
        await wallet.getAddress(),
      );
    });

    it("test_RevertWhen_AnswerIsNotTheMagicValue", async () => {
      for (const answer of ["0x", "0x1626ba7e", `0x${"00".repeat(31)}01`, `0x${"ff".repeat(64)}`]) {
        const wallet = await fixture.ethers.deployContract("AnsweringWallet", [answer]);
        const node = await wallet.getAddress();
        await expectRefusal(relay(await inferBy(node), "0x"), node);
      }
    });

    // The wallet settles in turn while it is asked, by its own call, which needs no signature: the request that it
    // is asked about, or another one of its own.
    for (const [name, nonce] of [
      ["TheSameRequest", 0n],
      ["AnotherRequest", 1n],
    ] as const) {
      const prepareWallet = async (kind: "ReentrantWallet" | "StubbornWallet") => {
        const wallet = await deployMock(fixture.ethers, kind);
        const node = await wallet.getAddress();
        const outer = await inferBy(node);
        const inner = await inferBy(node, nonce);
        const call = fixture.settlement.interface.encodeFunctionData("settleZkml", [
          ...[inner.result, inner.words, inner.proof, "0x"],
        ] as never);
        const settlement = await fixture.settlement.getAddress();
        await wallet.prepare(settlement, call);
        return { wallet, node, outer, inner };
      };

      it(`test_RevertWhen_WalletReenters_${name}`, async () => {
        const { node, outer, inner } = await prepareWallet("ReentrantWallet");
        await expectRefusal(relay(outer, "0x"), node);
        expect(await fixture.settlement.occupied(ledgerPageOf({ node: node, index: 0n }))).to.equal(
          0n,
        );
        expect(await fixture.settlement.isSettled(inner.result.requestId)).to.equal(false);
      });

      it(`test_ReentryChangesNothing_${name}`, async () => {
        // This wallet does not care that its call failed: only that the call can write nothing keeps order.
        const { node, outer } = await prepareWallet("StubbornWallet");
        const settling = relay(outer, "0x");
        await expect(settling).to.emit(fixture.settlement, "InferenceSettled");
        const receipt = await (await settling).wait();
        expect(receipt?.logs.length).to.equal(1);
        expect(await fixture.settlement.occupied(ledgerPageOf({ node: node, index: 0n }))).to.equal(
          1n,
        );
      });

      it(`test_ReentryIsASettlementOnItsOwn_${name}`, async () => {
        // What the wallet tries is a call that works from outside: it fails above for where it is made alone.
        const { wallet, inner } = await prepareWallet("StubbornWallet");
        await expect(wallet.perform()).to.emit(fixture.settlement, "InferenceSettled");
        expect(await fixture.settlement.isSettled(inner.result.requestId)).to.equal(true);
      });
    }

    it("test_WalletSeesTheRequestOpen", async () => {
      // A wallet that settles only what is open still reads the state from before the settlement.
      const wallet = await deployMock(fixture.ethers, "ReentrantWallet");
      const other = await inferBy(await wallet.getAddress());
      const probe = await fixture.ethers.deployContract("OpenRequestProbe");
      await wallet.prepare(
        await probe.getAddress(),
        probe.interface.encodeFunctionData("requireOpen", [
          ...[await fixture.settlement.getAddress(), other.result.requestId],
        ] as never),
      );
      await expect(relay(other, "0x")).to.emit(fixture.settlement, "InferenceSettled");
    });

    it("test_SettlesWhen_NodesOwnAccountHasDelegatedCode", async () => {
      // EIP-7702: the account's key keeps its authority, whatever the delegate says about signatures.
      const delegate = await fixture.ethers.deployContract("AnsweringWallet", ["0x"]);
      const designator = concat(["0xef0100", await delegate.getAddress()]);
      await networkHelpers.setCode(fixture.node.address, designator);
      await expect(relay(inference, await sign())).to.emit(fixture.settlement, "InferenceSettled");
    });
  });
});
