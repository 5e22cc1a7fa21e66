import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  LEGACY_MAXIMUM_AGE,
  type LegacyLeaf,
  legacyMessageHash,
  MAXIMUM_BLOB_ID_LENGTH,
} from "@haca/protocol/legacySettlement";
import { expect } from "chai";
import {
  AbiCoder,
  concat,
  getAddress,
  getBytes,
  hexlify,
  id,
  keccak256,
  MaxUint256,
  toBeHex,
  toBigInt,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { FIXTURES_FOLDER } from "../utils/fixturesFolder.ts";
import {
  BLOB_ID,
  blobIdOf,
  deployLegacy,
  fieldsOf,
  type LegacyFixture,
  makeBatch,
  malleate,
  modulusOf,
  signLeaf,
  signMessage,
} from "../utils/legacyFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const DAY = 86_400n;
const HEARTBEAT_MAX_AGE = 30n * 60n;
const MAXIMUM_BLOB_ID = `0x${"61".repeat(MAXIMUM_BLOB_ID_LENGTH)}`;
const TOO_LONG_BLOB_ID = `${MAXIMUM_BLOB_ID}61`;
const VECTORS = join(FIXTURES_FOLDER, "legacy", "vectors.json");
const REQUESTER = getAddress(`0x${"aa".repeat(20)}`);

describe("LegacySettlement", () => {
  let f: LegacyFixture;
  let leaf: LegacyLeaf;

  const deploy = () => deployLegacy(connection);
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    leaf = signLeaf(f.rsa, "answer", f.since);
  });

  const isValid = (answer: LegacyLeaf) =>
    f.legacySettlement.verifySignatureNoTimestamp(...fieldsOf(answer));
  const isValidNow = (answer: LegacyLeaf) =>
    f.legacySettlement.verifySignature(...fieldsOf(answer));
  const settle = (answer: LegacyLeaf, { address = REQUESTER, blobId = BLOB_ID } = {}) => {
    const { teeId, inputHash, outputHash, timestamp, teeSignature } = answer;
    return f.legacySettlement.settleIndividual(
      ...([teeId, inputHash, outputHash, timestamp, address, blobId, teeSignature] as const),
    );
  };
  const beat = async () => {
    const time = await now(f);
    const message = keccak256(concat([f.rsa.teeId, toBeHex(time, 32)]));
    await f.registry.heartbeat(f.rsa.teeId, time, f.rsa.sign(message));
  };

  /** Answers that are wrong in one way each. */
  const wrongAnswers = (): Record<string, LegacyLeaf> => {
    const { teeSignature } = leaf;
    const length = getBytes(teeSignature).length;
    const negated = modulusOf(f.rsa) - toBigInt(teeSignature);
    const flipped = getBytes(teeSignature);
    flipped[100] = (flipped[100] ?? 0) ^ 1;
    return {
      unknownNode: { ...leaf, teeId: id("nobody") },
      zeroNode: { ...leaf, teeId: ZeroHash },
      otherNode: { ...leaf, teeId: f.otherRsa.teeId },
      otherKindOfNode: { ...leaf, teeId: f.p256.teeId },
      hashesSwapped: { ...leaf, inputHash: leaf.outputHash, outputHash: leaf.inputHash },
      otherInput: { ...leaf, inputHash: id("other") },
      otherOutput: { ...leaf, outputHash: id("other") },
      otherTime: { ...leaf, timestamp: leaf.timestamp + 1n },
      beforeAdmission: signLeaf(f.rsa, "early", f.since - DAY),
      atZero: signLeaf(f.rsa, "zero", 0n),
      farFuture: signLeaf(f.rsa, "never", MaxUint256),
      noSignature: { ...leaf, teeSignature: "0x" },
      oneByte: { ...leaf, teeSignature: "0x00" },
      zeros: { ...leaf, teeSignature: `0x${"00".repeat(256)}` },
      bitFlipped: { ...leaf, teeSignature: hexlify(flipped) },
      truncated: { ...leaf, teeSignature: teeSignature.slice(0, -2) },
      extended: { ...leaf, teeSignature: `${teeSignature}00` },
      padded: { ...leaf, teeSignature: `0x00${teeSignature.slice(2)}` },
      huge: { ...leaf, teeSignature: `0x${"ff".repeat(20_000)}` },
      plusModulus: malleate(f.rsa, leaf),
      negated: { ...leaf, teeSignature: toBeHex(negated, length) },
      ellipticNode: signLeaf(f.p256, "answer", f.since),
      secp256k1Node: signLeaf(f.secp256k1, "answer", f.since),
    };
  };

  describe("what the public network's tools call", () => {
    it("test_SelectorsAndTopicsAreTheirs", () => {
      const selectors = {
        computeMessageHash: "0xc206baa3",
        verifySignature: "0x58db61a8",
        verifySignatureNoTimestamp: "0x810f2337",
        batchSettle: "0x1b243ae6",
        settleIndividual: "0x90480ad1",
        verifyProof: "0x4bc935d7",
      };
      for (const [name, selector] of Object.entries(selectors)) {
        expect(f.legacySettlement.interface.getFunction(name as "batchSettle").selector).to.equal(
          selector,
        );
      }
      const batch = f.legacySettlement.interface.getEvent("BatchSettlement").topicHash;
      expect(batch).to.match(/^0xc2aff8d8.*911127$/);
      const individual = f.legacySettlement.interface.getEvent("IndividualSettlement").topicHash;
      expect(individual).to.match(/^0x74e71a19.*60b782$/);
    });

    it("test_RegistryIsTheDeploymentsOwn", async () => {
      expect(await f.legacySettlement.registry()).to.equal(await f.registry.getAddress());
    });

    it("test_RevertWhen_RegistryHasNoCode", async () => {
      await expect(f.ethers.deployContract("LegacySettlement", [f.attacker.address]))
        .to.be.revertedWithCustomError(f.legacySettlement, "LegacySettlement_NotAContract")
        .withArgs(f.attacker.address);
    });

    it("test_NothingElseIsAnswered_NotERC165_NotEther", async () => {
      const to = await f.legacySettlement.getAddress();
      const supportsInterface = concat(["0x01ffc9a7", "0x01ffc9a7", `0x${"00".repeat(28)}`]);
      for (const data of ["0x", "0x01", "0xdeadbeef", supportsInterface]) {
        const answer = await f.ethers.provider.call({ to, data }).catch(() => "refused");
        expect(answer, data).to.equal("refused");
      }
      const paid = f.attacker.sendTransaction({ to, value: 1n, ...GAS });
      await expect(paid).to.revert(f.ethers);
    });

    it("test_MessageIsThatOfThePublicVectors", async function () {
      if (!existsSync(VECTORS)) {
        console.log(`      skipped: no ${VECTORS}`);
        this.skip();
      }
      const { _message: vector } = JSON.parse(readFileSync(VECTORS, "utf8"));
      const hex = (digits: string) => `0x${digits.replace(/^0x/, "")}`;
      const message = {
        inputHash: hex(vector.input_hash),
        outputHash: hex(vector.output_hash),
        timestamp: BigInt(vector.timestamp),
      };
      const { inputHash, outputHash, timestamp } = message;
      expect(legacyMessageHash(message)).to.equal(hex(vector.message));
      expect(
        await f.legacySettlement.computeMessageHash(inputHash, outputHash, timestamp),
      ).to.equal(hex(vector.message));
      const signature = hexlify(Buffer.from(vector.signature_b64, "base64"));
      const spki = hex(vector.spki_der_hex);
      const kind = await f.keys.kindOf(spki);
      expect(await f.keys.isSigned(kind, spki, hex(vector.message), signature)).to.equal(true);
    });
  });

  describe("a signature", () => {
    it("test_IsValid_OfAnRsaNodeInService", async () => {
      expect(await isValid(leaf)).to.equal(true);
      expect(await isValidNow(leaf)).to.equal(true);
    });

    it("test_IsFalse_AndNeverAnError_WhenAnythingIsWrong", async () => {
      for (const [name, answer] of Object.entries(wrongAnswers())) {
        expect(await isValid(answer), name).to.equal(false);
        expect(await isValidNow(answer), name).to.equal(false);
      }
    });

    it("test_IsValidForAnHour_OrForEver", async () => {
      await f.networkHelpers.time.increaseTo(f.since + LEGACY_MAXIMUM_AGE);
      await beat();
      await f.networkHelpers.time.increaseTo(f.since + LEGACY_MAXIMUM_AGE + 10n);
      const last = (await now(f)) - LEGACY_MAXIMUM_AGE;
      const [oldest, tooOld] = [last, last - 1n].map((at) => signLeaf(f.rsa, "answer", at));
      if (!oldest || !tooOld) throw new Error("no answers");
      expect(await isValidNow(oldest)).to.equal(true);
      expect(await isValidNow(tooOld)).to.equal(false);
      expect(await isValid(tooOld)).to.equal(true);
    });

    it("test_IsFalse_FromTheFuture", async () => {
      const time = await now(f);
      const present = signLeaf(f.rsa, "answer", time);
      expect([await isValidNow(present), await isValid(present)]).to.deep.equal([true, true]);
      for (const ahead of [1n, 300n, 301n]) {
        const future = signLeaf(f.rsa, "answer", time + ahead);
        expect([await isValidNow(future), await isValid(future)]).to.deep.equal([false, false]);
      }
    });

    it("test_OutlivesService_ButNotABan", async () => {
      await f.registry.connect(f.operator).disableTEE(f.rsa.teeId);
      const disabled = await now(f);
      expect(await isValid(leaf)).to.equal(true);
      expect(await isValid(signLeaf(f.rsa, "later", disabled))).to.equal(false);
      await f.networkHelpers.time.increase(2n * HEARTBEAT_MAX_AGE);
      expect(await isValid(leaf)).to.equal(true);
      await f.registry.connect(f.guardian).banTEE(f.rsa.teeId);
      expect(await isValid(leaf)).to.equal(false);
    });

    it("test_IsFalse_WhereNoHeartbeatCoversIt", async () => {
      await f.networkHelpers.time.increase(2n * HEARTBEAT_MAX_AGE);
      const silent = signLeaf(f.rsa, "silent", await now(f));
      expect(await isValid(silent)).to.equal(false);
      await beat();
      expect(await isValid(silent)).to.equal(true);
    });

    it("test_TooLittleGasIsAnError_NeverFalse", async () => {
      const data = f.legacySettlement.interface.encodeFunctionData(
        "verifySignatureNoTimestamp",
        fieldsOf(leaf),
      );
      const to = await f.legacySettlement.getAddress();
      const answers = { true: 0, error: 0 };
      for (let gasLimit = 30_000n; gasLimit <= 150_000n; gasLimit += 3_000n) {
        const answer = await f.ethers.provider.call({ to, data, gasLimit }).catch(() => undefined);
        if (answer === undefined) answers.error += 1;
        else {
          expect(answer, `${gasLimit} gas`).to.equal(toBeHex(1, 32));
          answers.true += 1;
        }
      }
      expect(answers.true).to.be.greaterThan(0);
      expect(answers.error).to.be.greaterThan(0);
    });
  });

  describe("an anchored root", () => {
    const ROOT = id("root");
    const anchor = (root = ROOT, size = 3n, blobId = BLOB_ID) =>
      f.legacySettlement.batchSettle(root, size, blobId);

    it("test_IsStoredWithItsSender", async () => {
      await expect(f.legacySettlement.connect(f.attacker).batchSettle(ROOT, 3n, BLOB_ID))
        .to.emit(f.legacySettlement, "BatchSettlement")
        .withArgs(ROOT, 3n, BLOB_ID)
        .to.emit(f.legacySettlement, "RootAnchored")
        .withArgs(ROOT, f.attacker.address, 3n, BLOB_ID);
      expect(await f.legacySettlement.anchoredAt(ROOT, 3n, BLOB_ID, f.attacker.address)).to.equal(
        await now(f),
      );
    });

    it("test_IsNobodyElses_AndOfNoOtherRootSizeOrBlob", async () => {
      await anchor();
      const { address } = f.administrator;
      for (const [root, size, blobId, sender] of [
        [ROOT, 3n, BLOB_ID, f.attacker.address],
        [id("other"), 3n, BLOB_ID, address],
        [ROOT, 4n, BLOB_ID, address],
        [ROOT, 3n, `${BLOB_ID}00`, address],
        [ROOT, 3n, BLOB_ID.slice(0, -2), address],
        [ROOT, 3n, "0x", address],
      ] as const) {
        expect(await f.legacySettlement.anchoredAt(root, size, blobId, sender)).to.equal(0n);
      }
      await expect(f.legacySettlement.connect(f.attacker).batchSettle(ROOT, 3n, BLOB_ID)).to.emit(
        f.legacySettlement,
        "RootAnchored",
      );
    });

    it("test_AgainSucceedsWithoutEffect", async () => {
      await anchor();
      const at = await now(f);
      await f.networkHelpers.time.increase(100);
      const receipt = await (await anchor()).wait();
      expect(receipt?.status).to.equal(1);
      expect(receipt?.logs).to.deep.equal([]);
      const { address } = f.administrator;
      expect(await f.legacySettlement.anchoredAt(ROOT, 3n, BLOB_ID, address)).to.equal(at);
    });

    it("test_BelongsToTheContractThatCalled_NotToWhoSentTheTransaction", async () => {
      const data = f.legacySettlement.interface.encodeFunctionData("batchSettle", [
        ROOT,
        3n,
        BLOB_ID,
      ]);
      const manager = await f.manager.getAddress();
      await expect(f.manager.execute(await f.legacySettlement.getAddress(), data))
        .to.emit(f.legacySettlement, "RootAnchored")
        .withArgs(ROOT, manager, 3n, BLOB_ID);
      expect(await f.legacySettlement.anchoredAt(ROOT, 3n, BLOB_ID, manager)).to.equal(
        await now(f),
      );
      const { address } = f.administrator;
      expect(await f.legacySettlement.anchoredAt(ROOT, 3n, BLOB_ID, address)).to.equal(0n);
    });

    it("test_RevertWhen_SizeIsZero_WithAText", async () => {
      await expect(anchor(ROOT, 0n)).to.be.revertedWith("Batch size is zero");
    });

    it("test_RevertWhen_BlobIdIsEmptyOrLong_WithAText", async () => {
      await expect(anchor(ROOT, 1n, "0x")).to.be.revertedWith("Blob id is empty");
      await expect(anchor(ROOT, 1n, TOO_LONG_BLOB_ID)).to.be.revertedWith("Blob id is too long");
      const griefing = `0x${"61".repeat(50_000)}`;
      await expect(anchor(ROOT, 1n, griefing)).to.be.revertedWith("Blob id is too long");
      await anchor(ROOT, 1n, MAXIMUM_BLOB_ID);
      await anchor(ROOT, MaxUint256, "0x00");
    });

    it("test_SettlesNothing", async () => {
      const batch = makeBatch([leaf]);
      await f.legacySettlement.batchSettle(batch.root, batch.size, BLOB_ID);
      expect(
        await f.legacySettlement.individuallySettledAt(leaf.teeId, legacyMessageHash(leaf)),
      ).to.equal(0n);
      await settle(leaf);
    });
  });

  describe("a leaf of an anchored root", () => {
    let leaves: LegacyLeaf[];
    let batch: ReturnType<typeof makeBatch>;
    beforeEach(async () => {
      leaves = ["a", "b", "c", "d", "e"].map((name, i) =>
        signLeaf(i % 2 === 0 ? f.rsa : f.otherRsa, name, f.since),
      );
      batch = makeBatch(leaves);
      await f.legacySettlement.batchSettle(batch.root, batch.size, BLOB_ID);
    });
    const isIncluded = (
      answer: LegacyLeaf,
      proof: readonly string[],
      {
        sender = f.administrator.address,
        root = batch.root,
        size = batch.size,
        blobId = BLOB_ID,
      } = {},
    ) => f.legacySettlement.verifyInclusion(sender, root, size, blobId, answer, [...proof]);

    it("test_IsIncluded_EachWithItsProof", async () => {
      for (const [i, answer] of leaves.entries()) {
        expect(await isIncluded(answer, batch.proofOf(i))).to.equal(true);
        expect(await isIncluded(answer, batch.proofOf((i + 1) % 5))).to.equal(false);
      }
    });

    it("test_IsFalse_ForAnotherSenderRootSizeOrBlob", async () => {
      const [answer] = leaves;
      if (!answer) throw new Error("no leaf");
      const proof = batch.proofOf(0);
      const other = makeBatch([answer, leaf]);
      for (const [name, changed] of Object.entries({
        sender: { sender: f.attacker.address },
        nobody: { sender: ZeroAddress },
        root: { root: other.root },
        size: { size: batch.size + 1n },
        noSize: { size: 0n },
        blob: { blobId: blobIdOf("another") },
        noBlob: { blobId: "0x" },
        longBlob: { blobId: `0x${"61".repeat(20_000)}` },
      })) {
        expect(await isIncluded(answer, proof, changed), name).to.equal(false);
      }
      // The other root is a good one, only nobody has anchored it.
      expect(await isIncluded(answer, other.proofOf(0), { root: other.root })).to.equal(false);
    });

    it("test_IsFalse_WhereTheSignatureIsNotGood_ThoughTheRootHasIt", async () => {
      for (const [name, answer] of Object.entries(wrongAnswers())) {
        const forged = makeBatch([answer, leaf]);
        await f.legacySettlement.batchSettle(forged.root, forged.size, BLOB_ID);
        const place = { root: forged.root, size: forged.size };
        expect(await isIncluded(answer, forged.proofOf(0), place), name).to.equal(false);
        expect(await isIncluded(leaf, forged.proofOf(1), place), name).to.equal(true);
      }
    });

    it("test_IsFalse_ForFieldsOfAnotherLeaf", async () => {
      const [answer, second] = leaves;
      if (!answer || !second) throw new Error("no leaf");
      const proof = batch.proofOf(0);
      for (const changed of [
        { teeSignature: second.teeSignature },
        { teeId: second.teeId },
        { inputHash: answer.outputHash, outputHash: answer.inputHash },
        { timestamp: answer.timestamp - 1n },
        // Another signature of the same message is valid, and another leaf.
        { teeSignature: signMessage(f.rsa, answer).teeSignature },
      ]) {
        expect(await isIncluded({ ...answer, ...changed }, proof)).to.equal(false);
      }
    });

    it("test_AnInnerNodeIsNoLeaf", async () => {
      const { nodes } = batch.tree;
      const [root = "", left = "", right = ""] = nodes;
      // A path has no floor: `verifyProof` says so, and looks at nothing but the path.
      expect(await f.legacySettlement.verifyProof([right], root, left)).to.equal(true);
      expect(await f.legacySettlement.verifyProof([], root, root)).to.equal(true);
      expect(await f.legacySettlement.verifyProof([left], root, left)).to.equal(false);
      // Were leaves hashed once, 64 bytes of two siblings could pass for one. No leaf has 64 bytes, and none is hashed once.
      const [answer] = leaves;
      if (!answer) throw new Error("no leaf");
      const values = [answer.teeId, answer.inputHash, answer.outputHash, answer.teeSignature];
      const encoded = AbiCoder.defaultAbiCoder().encode(
        ["bytes32", "bytes32", "bytes32", "bytes", "uint256"],
        [...values, answer.timestamp],
      );
      expect(await f.legacySettlement.hashLeaf(answer)).to.equal(keccak256(keccak256(encoded)));
      const onceHashed = keccak256(encoded);
      await f.legacySettlement.batchSettle(onceHashed, 1n, BLOB_ID);
      expect(await isIncluded(answer, [], { root: onceHashed, size: 1n })).to.equal(false);
      const pair: LegacyLeaf = { ...answer, teeId: left, inputHash: right };
      expect(await isIncluded(pair, [])).to.equal(false);
    });

    it("test_IsFalse_OnceItsNodeIsBanned_OrWhereItHadGone", async () => {
      const [answer] = leaves;
      if (!answer) throw new Error("no leaf");
      await f.registry.connect(f.operator).disableTEE(f.rsa.teeId);
      const late = signLeaf(f.rsa, "late", await now(f));
      const afterwards = makeBatch([late]);
      await f.legacySettlement.batchSettle(afterwards.root, 1n, BLOB_ID);
      expect(await isIncluded(late, [], { root: afterwards.root, size: 1n })).to.equal(false);
      expect(await isIncluded(answer, batch.proofOf(0))).to.equal(true);
      await f.registry.connect(f.guardian).banTEE(f.rsa.teeId);
      expect(await isIncluded(answer, batch.proofOf(0))).to.equal(false);
    });
  });

  describe("an individual settlement", () => {
    it("test_IsRecordedOnce_WithTheEventOfThePublicNetwork", async () => {
      const { teeId, inputHash, outputHash, timestamp, teeSignature } = leaf;
      await expect(settle(leaf))
        .to.emit(f.legacySettlement, "IndividualSettlement")
        .withArgs(
          ...([teeId, REQUESTER, inputHash, outputHash, timestamp, BLOB_ID, teeSignature] as const),
        );
      expect(
        await f.legacySettlement.individuallySettledAt(teeId, legacyMessageHash(leaf)),
      ).to.equal(await now(f));
      await expect(settle(leaf)).to.be.revertedWith("Already settled");
    });

    it("test_RevertWhen_Repeated_WithAnotherSignatureAddressOrBlob", async () => {
      await settle(leaf);
      const again = signMessage(f.rsa, leaf);
      expect(again.teeSignature).to.not.equal(leaf.teeSignature);
      expect(await isValid(again)).to.equal(true);
      await expect(settle(again)).to.be.revertedWith("Already settled");
      await expect(settle(leaf, { address: f.attacker.address })).to.be.revertedWith(
        "Already settled",
      );
      await expect(settle(leaf, { blobId: blobIdOf("other") })).to.be.revertedWith(
        "Already settled",
      );
    });

    it("test_TwoEnclavesWithOneMessageDoNotCollide", async () => {
      const other = signMessage(f.otherRsa, leaf);
      expect(legacyMessageHash(other)).to.equal(legacyMessageHash(leaf));
      await settle(leaf);
      await settle(other);
    });

    it("test_RevertWhen_SignatureIsNotGood_AndStaysOpen", async () => {
      for (const [name, answer] of Object.entries(wrongAnswers())) {
        await expect(settle(answer), name).to.be.revertedWith("Invalid signature");
        const stored = await f.legacySettlement.individuallySettledAt(
          answer.teeId,
          legacyMessageHash(answer),
        );
        expect(stored, name).to.equal(0n);
      }
      await settle(leaf);
    });

    it("test_RevertWhen_BlobIdIsEmptyOrLong_WithAText", async () => {
      await expect(settle(leaf, { blobId: "0x" })).to.be.revertedWith("Blob id is empty");
      await expect(settle(leaf, { blobId: TOO_LONG_BLOB_ID })).to.be.revertedWith(
        "Blob id is too long",
      );
      await settle(leaf, { blobId: MAXIMUM_BLOB_ID });
    });

    it("test_RevertWhen_NodeIsBanned_NotWhenItHasOnlyGone", async () => {
      await f.registry.connect(f.operator).retireTEE(f.rsa.teeId);
      await settle(leaf);
      const other = signLeaf(f.otherRsa, "other", f.since);
      await f.registry.connect(f.guardian).banTEE(f.otherRsa.teeId);
      await expect(settle(other)).to.be.revertedWith("Invalid signature");
    });

    it("test_WhoeverHasTheSignatureNamesAddressAndBlob", async () => {
      // Nobody signed them: what a reader may take from a settlement is node, hashes and time.
      const { teeId, inputHash, outputHash, timestamp, teeSignature } = leaf;
      const attacker = f.legacySettlement.connect(f.attacker);
      await expect(
        attacker.settleIndividual(
          ...([teeId, inputHash, outputHash, timestamp, f.attacker.address] as const),
          ...([blobIdOf("elsewhere"), teeSignature] as const),
        ),
      ).to.emit(f.legacySettlement, "IndividualSettlement");
      await expect(settle(leaf)).to.be.revertedWith("Already settled");
    });

    it("test_TouchesNoRequest", async () => {
      await settle(leaf);
      const node = `0x${f.rsa.teeId.slice(-40)}`;
      for (const account of [node, REQUESTER, f.administrator.address]) {
        expect(await f.settlement.occupied(BigInt(account) << 88n)).to.equal(0n);
      }
    });
  });
});
