import { addMonths } from "@haca/protocol/addMonths";
import { airdropProof, airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { expect } from "chai";
import { concat, keccak256, Signature, solidityPackedKeccak256, type Wallet } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { AIRDROP_MONTHS, deployToken, TGE, type TokenFixture } from "../utils/tokenFixture.ts";

const CLAIMANTS = 10_000;
const SAMPLES = 40;
const DEADLINE = addMonths({ time: TGE, months: AIRDROP_MONTHS });
const DELEGATION_TYPES = {
  Delegation: [
    { name: "delegatee", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "expiry", type: "uint256" },
  ],
};

describe("MerkleAirdrop", () => {
  let connection: NetworkConnection;
  let fixture: TokenFixture;
  before(async () => {
    connection = await network.create();
  });
  beforeEach(async () => {
    fixture = await connection.networkHelpers.loadFixture(deployLarge);
  });
  async function deployLarge() {
    return deployToken(connection, { airdropCount: CLAIMANTS });
  }
  const claimOf = (index: number) => {
    const claim = fixture.claims[index];
    if (claim === undefined) throw new Error(`no claim ${index}`);
    const { account, amount } = claim.entry;
    const proof = airdropProof({ tree: fixture.tree, index });
    return { wallet: claim.wallet, account, amount, proof };
  };
  const claim = (index: number) => {
    const { account, amount, proof } = claimOf(index);
    return fixture.airdrop.connect(fixture.stranger).claim(index, account, amount, proof);
  };

  it(`test_PaysEachClaimOnceAndRecordsExactlyThose: ${SAMPLES} sampled of ${CLAIMANTS}`, async () => {
    const { airdrop, opg } = fixture;
    const sampled = new Set([0, CLAIMANTS - 1]);
    while (sampled.size < SAMPLES) sampled.add((sampled.size * 7_919) % CLAIMANTS);
    let paid = 0n;
    for (const index of sampled) {
      const { account, amount } = claimOf(index);
      await expect(claim(index)).to.emit(airdrop, "Claimed").withArgs(index, account, amount);
      expect(await opg.balanceOf(account)).to.equal(amount);
      await expect(claim(index))
        .to.be.revertedWithCustomError(airdrop, "MerkleAirdrop_AlreadyClaimed")
        .withArgs(index);
      paid += amount;
    }
    expect(await opg.balanceOf(await airdrop.getAddress())).to.equal(
      (await airdrop.total()) - paid,
    );
    for (let word = 0; word * 256 < CLAIMANTS; word += 1) {
      const bitmap = await airdrop.claimedBitmap(word);
      for (let bit = 0; bit < 256; bit += 1) {
        expect((bitmap >> BigInt(bit)) & 1n).to.equal(sampled.has(word * 256 + bit) ? 1n : 0n);
      }
    }
  });

  it("test_RevertWhen_ClaimIsNotInTheTree", async () => {
    const { airdrop, stranger } = fixture;
    const { account, amount, proof } = claimOf(7);
    const [sibling, ...rest] = proof;
    const refused: [string, number, string, bigint, string[]][] = [
      ["amount", 7, account, amount + 1n, proof],
      ["account", 7, stranger.address, amount, proof],
      ["index", 8, account, amount, proof],
      ["another's proof", 7, account, amount, claimOf(8).proof],
      ["no proof", 7, account, amount, []],
      ["short proof", 7, account, amount, rest],
      ["long proof", 7, account, amount, [...proof, sibling ?? ""]],
      ["reversed proof", 7, account, amount, [...proof].reverse()],
    ];
    for (const [what, index, who, value, path] of refused) {
      await expect(airdrop.claim(index, who, value, path), what)
        .to.be.revertedWithCustomError(airdrop, "MerkleAirdrop_ProofInvalid")
        .withArgs(index, who, value);
    }
  });

  it("test_RevertWhen_InnerNodeIsGivenAsALeaf", async () => {
    // 64 bytes hashed once are an inner node; a claim is 96 bytes hashed twice, so no claim can hash to one.
    const tree = buildAirdropTree(fixture.claims.slice(0, 2).map(({ entry }) => entry));
    const [left, right] = [...tree.nodes.slice(1)].sort();
    expect(airdropRoot(tree)).to.equal(
      solidityPackedKeccak256(["bytes32", "bytes32"], [left, right]),
    );
    expect(airdropRoot(tree)).to.not.equal(keccak256(keccak256(concat([left ?? "", right ?? ""]))));
  });

  it("test_EndsAfterItsDeadlineAndGivesTheRestToTheEcosystemVault", async () => {
    const { airdrop, opg, genesis } = fixture;
    const { time } = connection.networkHelpers;
    await time.setNextBlockTimestamp(DEADLINE - 1);
    await claim(1);
    await time.setNextBlockTimestamp(DEADLINE);
    await expect(airdrop.sweep())
      .to.be.revertedWithCustomError(airdrop, "MerkleAirdrop_NotEnded")
      .withArgs(DEADLINE, DEADLINE);
    await connection.networkHelpers.time.setNextBlockTimestamp(DEADLINE + 1);
    await expect(claim(2))
      .to.be.revertedWithCustomError(airdrop, "MerkleAirdrop_Ended")
      .withArgs(DEADLINE, DEADLINE + 1);

    const vault = await genesis.ecosystemVault();
    const [before, left] = [
      await opg.balanceOf(vault),
      await opg.balanceOf(await airdrop.getAddress()),
    ];
    await expect(airdrop.sweep()).to.emit(airdrop, "Swept").withArgs(vault, left);
    expect(await opg.balanceOf(vault)).to.equal(before + left);
    expect(await opg.balanceOf(await airdrop.getAddress())).to.equal(0n);
    // What comes back can be paid out: it does not get stuck beyond the grant's total.
    const ecosystem = await fixture.vaultAt(vault);
    const now = await time.latest();
    expect(await ecosystem.releasable()).to.equal((await ecosystem.vested(now)) + left);
  });

  it("test_TakesClaimsInTheDeadlinesSecondItself", async () => {
    await connection.networkHelpers.time.setNextBlockTimestamp(DEADLINE);
    await claim(2);
    expect(await fixture.airdrop.isClaimed(2)).to.equal(true);
  });

  describe("claimAndDelegate", () => {
    const delegation = async (wallet: Wallet, delegatee: string) => {
      const { opg, ethers } = fixture;
      const message = { delegatee, nonce: 0n, expiry: BigInt(DEADLINE) };
      const { v, r, s } = Signature.from(
        await wallet.signTypedData(
          {
            ...{ name: "OPG", version: "1" },
            chainId: (await ethers.provider.getNetwork()).chainId,
            verifyingContract: await opg.getAddress(),
          },
          DELEGATION_TYPES,
          message,
        ),
      );
      return { ...message, v, r, s };
    };

    it("test_PaysAndDelegatesInOneCallSubmittedByAnyone", async () => {
      const { airdrop, opg, bob } = fixture;
      const { wallet, account, amount, proof } = claimOf(3);
      await airdrop.claimAndDelegate(
        3,
        account,
        amount,
        proof,
        await delegation(wallet, bob.address),
      );
      expect(await opg.delegates(account)).to.equal(bob.address);
      expect(await opg.getVotes(bob.address)).to.equal(amount);
    });

    it("test_SucceedsAlthoughSomebodySubmittedTheDelegationFirst", async () => {
      const { airdrop, opg, bob, stranger } = fixture;
      const { wallet, account, amount, proof } = claimOf(3);
      const signed = await delegation(wallet, bob.address);
      const { delegatee, nonce, expiry, v, r, s } = signed;
      await opg.connect(stranger).delegateBySig(delegatee, nonce, expiry, v, r, s);
      await airdrop.claimAndDelegate(3, account, amount, proof, signed);
      expect(await opg.getVotes(bob.address)).to.equal(amount);
    });

    it("test_RevertWhen_ClaimantDidNotSignTheDelegation", async () => {
      const { airdrop, opg, bob, ethers } = fixture;
      const { account, amount, proof } = claimOf(3);
      const forged = await delegation(claimOf(4).wallet, bob.address);
      await expect(airdrop.claimAndDelegate(3, account, amount, proof, forged))
        .to.be.revertedWithCustomError(airdrop, "MerkleAirdrop_NotDelegated")
        .withArgs(bob.address, ethers.ZeroAddress);
      expect(await airdrop.isClaimed(3)).to.equal(false);
      expect(await opg.balanceOf(account)).to.equal(0n);
    });
  });

  it("test_RevertWhen_CreatedWithoutRootDeadlineOrReceiverOfLeftovers", async () => {
    const { ethers, opg, factory, airdrop, stranger } = fixture;
    const token = await opg.getAddress();
    const vault = await factory.getAddress();
    const root = await airdrop.root();
    const now = await connection.networkHelpers.time.latest();
    const creation = (...rest: [string, bigint, number, string]) =>
      expect(ethers.deployContract("MerkleAirdrop", [token, ...rest])).to.be;
    await creation(ethers.ZeroHash, 1n, DEADLINE, vault).revertedWithCustomError(
      airdrop,
      "MerkleAirdrop_RootZero",
    );
    await connection.networkHelpers.time.setNextBlockTimestamp(now + 10);
    await creation(root, 1n, now, vault)
      .revertedWithCustomError(airdrop, "MerkleAirdrop_DeadlineInvalid")
      .withArgs(now + 11, now);
    await creation(root, 1n, DEADLINE, stranger.address)
      .revertedWithCustomError(airdrop, "MerkleAirdrop_NotAContract")
      .withArgs(stranger.address);
  });
});
