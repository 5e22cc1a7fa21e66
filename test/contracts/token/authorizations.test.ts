import { expect } from "chai";
import { id, MaxUint256, Signature, type Signer, type TypedDataDomain } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployMock } from "../utils/deployMock.ts";
import { deployToken, type TokenFixture } from "../utils/tokenFixture.ts";

const PARTIES = [
  { name: "from", type: "address" },
  { name: "to", type: "address" },
  { name: "value", type: "uint256" },
  { name: "validAfter", type: "uint256" },
  { name: "validBefore", type: "uint256" },
  { name: "nonce", type: "bytes32" },
];
const CANCEL_TYPES = {
  CancelAuthorization: [
    { name: "authorizer", type: "address" },
    { name: "nonce", type: "bytes32" },
  ],
};
const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};
const TRANSFER: string =
  "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)";
const TRANSFER_VRS =
  "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)";
const RECEIVE = "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)";
const RECEIVE_VRS =
  "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)";
const CANCEL = "cancelAuthorization(address,bytes32,bytes)";
const CANCEL_VRS = "cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)";
const PERMIT = "permit(address,address,uint256,uint256,bytes)";
const PERMIT_VRS = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)";

type Authorization = {
  from: string;
  to: string;
  value: bigint;
  validAfter: bigint;
  validBefore: bigint;
  nonce: string;
};

/** Who signs for whom, and which form of the functions takes the signature. */
const KINDS = [
  { kind: "own key, (v, r, s)", wallet: false, split: true },
  { kind: "own key, bytes", wallet: false, split: false },
  { kind: "ERC-1271 wallet, bytes", wallet: true, split: false },
] as const;

describe("OPG: transfers and permits by signature", () => {
  let connection: NetworkConnection;
  let base: TokenFixture;
  before(async () => {
    connection = await network.create();
  });
  async function deployWithDefaults() {
    return deployToken(connection);
  }

  for (const { kind, wallet, split } of KINDS) {
    describe(kind, () => {
      let domain: TypedDataDomain;
      let from: string;
      let signer: Signer;
      let authorization: Authorization;

      beforeEach(async () => {
        base = await connection.networkHelpers.loadFixture(deployWithDefaults);
        const { opg, alice, bob, liquidity, ethers } = base;
        signer = alice;
        from = wallet
          ? await (await ethers.deployContract("OwnedWallet", [alice.address])).getAddress()
          : alice.address;
        await opg.connect(liquidity).transfer(from, 1_000n);
        domain = {
          ...{ name: "OPG", version: "1" },
          chainId: (await ethers.provider.getNetwork()).chainId,
          verifyingContract: await opg.getAddress(),
        };
        const now = BigInt(await connection.networkHelpers.time.latest());
        authorization = {
          ...{ from, to: bob.address, value: 400n, nonce: id("nonce") },
          ...{ validAfter: now - 1n, validBefore: now + 1_000n },
        };
      });

      const sign = (type: string, message: Authorization, usedDomain = domain): Promise<string> =>
        signer.signTypedData(usedDomain, { [type]: PARTIES }, message);
      const parts = (signature: string): unknown[] => {
        if (!split) return [signature];
        const { v, r, s } = Signature.from(signature);
        return [v, r, s];
      };
      const submit = (
        receive: boolean,
        message: Authorization,
        signature: string,
        caller: Signer = base.stranger,
      ) => {
        const { from, to, value, validAfter, validBefore, nonce } = message;
        const name = receive ? (split ? RECEIVE_VRS : RECEIVE) : split ? TRANSFER_VRS : TRANSFER;
        return base.opg.connect(caller).getFunction(name)(
          from,
          to,
          value,
          validAfter,
          validBefore,
          nonce,
          ...parts(signature),
        );
      };
      const invalid = split ? "ERC3009InvalidSignature" : "OPG_SignatureInvalid";

      it("test_MovesTheTokensOnce", async () => {
        const { opg, bob } = base;
        const signature = await sign("TransferWithAuthorization", authorization);
        await expect(submit(false, authorization, signature))
          .to.emit(opg, "AuthorizationUsed")
          .withArgs(from, authorization.nonce);
        expect(await opg.balanceOf(bob.address)).to.equal(400n);
        expect(await opg.authorizationState(from, authorization.nonce)).to.equal(true);
        await expect(submit(false, authorization, signature))
          .to.be.revertedWithCustomError(opg, "ERC3009UsedAuthorization")
          .withArgs(from, authorization.nonce);
      });

      it("test_TakesNoncesInAnyOrder", async () => {
        for (const nonce of ["z", "a", "m"].map(id)) {
          const message = { ...authorization, value: 1n, nonce };
          await submit(false, message, await sign("TransferWithAuthorization", message));
        }
        expect(await base.opg.balanceOf(base.bob.address)).to.equal(3n);
      });

      it("test_IsValidStrictlyBetweenItsTwoTimes", async () => {
        const { opg } = base;
        const { time } = connection.networkHelpers;
        const signature = await sign("TransferWithAuthorization", authorization);
        const early = { ...authorization, validAfter: authorization.validBefore - 500n };
        await time.setNextBlockTimestamp(early.validAfter);
        await expect(submit(false, early, await sign("TransferWithAuthorization", early)))
          .to.be.revertedWithCustomError(opg, "ERC3009InvalidAuthorizationTime")
          .withArgs(early.validAfter, early.validBefore);
        await time.setNextBlockTimestamp(authorization.validBefore);
        await expect(submit(false, authorization, signature))
          .to.be.revertedWithCustomError(opg, "ERC3009InvalidAuthorizationTime")
          .withArgs(authorization.validAfter, authorization.validBefore);
        expect(await opg.authorizationState(from, authorization.nonce)).to.equal(false);
      });

      it("test_ReadsItsTimesAsTimesOnlyWhateverTheirSize", async () => {
        const flag = 1n << 47n; // would turn both into block numbers in the library's own reading
        const message = { ...authorization, validAfter: flag, validBefore: flag + 1_000_000n };
        await expect(
          submit(false, message, await sign("TransferWithAuthorization", message)),
        ).to.be.revertedWithCustomError(base.opg, "ERC3009InvalidAuthorizationTime");
      });

      it("test_MeansOneContractOnOneChainOneTypeAndTheseVeryValues", async () => {
        const { opg, stranger } = base;
        const wrong: [string, string][] = [
          [
            "chain",
            await sign("TransferWithAuthorization", authorization, { ...domain, chainId: 1 }),
          ],
          [
            "contract",
            await sign("TransferWithAuthorization", authorization, {
              ...domain,
              verifyingContract: stranger.address,
            }),
          ],
          [
            "name",
            await sign("TransferWithAuthorization", authorization, { ...domain, name: "OPC" }),
          ],
          [
            "version",
            await sign("TransferWithAuthorization", authorization, { ...domain, version: "2" }),
          ],
          ["type", await sign("ReceiveWithAuthorization", authorization)],
          ["value", await sign("TransferWithAuthorization", { ...authorization, value: 399n })],
          ["receiver", await sign("TransferWithAuthorization", { ...authorization, to: from })],
          [
            "time",
            await sign("TransferWithAuthorization", { ...authorization, validBefore: MaxUint256 }),
          ],
          [
            "signer",
            await stranger.signTypedData(
              domain,
              { TransferWithAuthorization: PARTIES },
              authorization,
            ),
          ],
        ];
        for (const [what, signature] of wrong) {
          await expect(submit(false, authorization, signature), what).to.be.revertedWithCustomError(
            opg,
            invalid,
          );
        }
      });

      it("test_LetsOnlyTheReceiverSubmitAReceipt", async () => {
        const { opg, bob, stranger } = base;
        const signature = await sign("ReceiveWithAuthorization", authorization);
        await expect(submit(true, authorization, signature, stranger))
          .to.be.revertedWithCustomError(opg, "ERC20InvalidReceiver")
          .withArgs(bob.address);
        await submit(true, authorization, signature, bob);
        expect(await opg.balanceOf(bob.address)).to.equal(400n);
      });

      it("test_DiesWithItsNonceCancelledByTheSameSignerOnly", async () => {
        const { opg, stranger } = base;
        const message = { authorizer: from, nonce: authorization.nonce };
        const cancel = (signature: string) =>
          opg.connect(stranger).getFunction(split ? CANCEL_VRS : CANCEL)(
            from,
            message.nonce,
            ...parts(signature),
          );
        await expect(
          cancel(await stranger.signTypedData(domain, CANCEL_TYPES, message)),
        ).to.be.revertedWithCustomError(opg, invalid);
        const signature = await signer.signTypedData(domain, CANCEL_TYPES, message);
        await expect(cancel(signature))
          .to.emit(opg, "AuthorizationCanceled")
          .withArgs(from, message.nonce);
        for (const receive of [false, true]) {
          const type = receive ? "ReceiveWithAuthorization" : "TransferWithAuthorization";
          await expect(
            submit(receive, authorization, await sign(type, authorization), base.bob),
          ).to.be.revertedWithCustomError(opg, "ERC3009UsedAuthorization");
        }
        await expect(cancel(signature)).to.be.revertedWithCustomError(
          opg,
          "ERC3009UsedAuthorization",
        );
      });

      it("test_GivesAPermitOnceUntilItsDeadlineInThisDomain", async () => {
        const { opg, bob, stranger } = base;
        const { time } = connection.networkHelpers;
        const deadline = authorization.validBefore;
        const message = { owner: from, spender: bob.address, value: 77n, nonce: 0n, deadline };
        const permit = (signature: string) =>
          opg.connect(stranger).getFunction(split ? PERMIT_VRS : PERMIT)(
            ...[from, bob.address, 77n, deadline],
            ...parts(signature),
          );
        const refusal = split ? "ERC2612InvalidSigner" : "OPG_SignatureInvalid";
        const good = await signer.signTypedData(domain, PERMIT_TYPES, message);
        for (const bad of [
          await stranger.signTypedData(domain, PERMIT_TYPES, message),
          await signer.signTypedData({ ...domain, chainId: 1 }, PERMIT_TYPES, message),
          await signer.signTypedData(domain, PERMIT_TYPES, { ...message, value: 78n }),
          await signer.signTypedData(domain, PERMIT_TYPES, { ...message, nonce: 1n }),
        ]) {
          await expect(permit(bad)).to.be.revertedWithCustomError(opg, refusal);
        }
        await time.setNextBlockTimestamp(deadline);
        await permit(good);
        expect(await opg.allowance(from, bob.address)).to.equal(77n);
        expect(await opg.nonces(from)).to.equal(1n);
        await expect(permit(good)).to.be.revertedWithCustomError(opg, "ERC2612ExpiredSignature");
      });

      it("test_RevertWhen_PermitIsUsedTwiceInTime", async () => {
        const { opg, bob, stranger } = base;
        const deadline = authorization.validBefore;
        const signature = await signer.signTypedData(domain, PERMIT_TYPES, {
          ...{ owner: from, spender: bob.address, value: 77n, nonce: 0n, deadline },
        });
        const permit = () =>
          opg.connect(stranger).getFunction(split ? PERMIT_VRS : PERMIT)(
            ...[from, bob.address, 77n, deadline],
            ...parts(signature),
          );
        await permit();
        await expect(permit()).to.be.revertedWithCustomError(
          opg,
          split ? "ERC2612InvalidSigner" : "OPG_SignatureInvalid",
        );
      });
    });
  }

  it("test_RevertWhen_SignatureIsOfAWalletsFormerOwner", async () => {
    base = await connection.networkHelpers.loadFixture(deployWithDefaults);
    const { opg, alice, bob, liquidity, ethers } = base;
    const wallet = await deployMock(ethers, "OwnedWallet", [alice.address]);
    const from = await wallet.getAddress();
    await opg.connect(liquidity).transfer(from, 10n);
    const message = {
      ...{ from, to: bob.address, value: 10n, validAfter: 0n, validBefore: MaxUint256 },
      nonce: id("n"),
    };
    const signature = await alice.signTypedData(
      {
        ...{ name: "OPG", version: "1" },
        chainId: (await ethers.provider.getNetwork()).chainId,
        verifyingContract: await opg.getAddress(),
      },
      { TransferWithAuthorization: PARTIES },
      message,
    );
    await wallet.setOwner(bob.address);
    await expect(
      opg.getFunction(TRANSFER)(...Object.values(message), signature),
    ).to.be.revertedWithCustomError(opg, "OPG_SignatureInvalid");
  });
});
