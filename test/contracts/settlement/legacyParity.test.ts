import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  hashLegacyLeaf,
  LEGACY_MINIMUM_SIGNATURE_LENGTH,
  type LegacyLeaf,
  legacyMessageHash,
} from "@haca/protocol/legacySettlement";
import { isMerkleProof } from "@haca/protocol/merkleTree";
import { judgeLegacyLeaf, type LegacyNode } from "@haca/protocol/verdicts/judgeLegacyLeaf";
import { expect } from "chai";
import { getBytes, hexlify, id } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, makeRegistration, now } from "../utils/attestationFixture.ts";
import {
  BLOB_ID,
  deployLegacy,
  isSignedPerOpenssl,
  type LegacyFixture,
  makeBatch,
  malleate,
  signLeaf,
  signMessage,
} from "../utils/legacyFixture.ts";
import { seededRandom } from "../utils/seededRandom.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const SEED = process.env.HACA_SEED ?? "legacy parity";
const BATCHES = process.env.HACA_DEEP === "1" ? 200 : 15;
const MAXIMUM_BATCH = 12;
const MUTANTS_PER_LEAF = 4;

type Case = { name: string; leaf: LegacyLeaf; proof: readonly string[]; root: string };

describe("LegacySettlement and its bindings", () => {
  let f: LegacyFixture;
  let enclaves: SimulatedEnclave[];
  const random = seededRandom(SEED);

  /** An enclave with the longest key that there is. */
  async function admitLong(fixture: LegacyFixture): Promise<SimulatedEnclave> {
    const time = await now(fixture);
    const enclave = new SimulatedEnclave({
      chain: makeSimulatedChain({ now: time, root: fixture.chain.rootAuthority }),
      measurements: measurementsOf("image"),
      ...{ kind: "rsa", now: time, modulusLength: 4096 },
    });
    const registration = await makeRegistration(fixture, enclave);
    await fixture.registry.connect(fixture.operator).register(registration, GAS);
    return enclave;
  }
  async function deploy() {
    const fixture = await deployLegacy(connection);
    const long = await admitLong(fixture);
    return { fixture, long, since: await now(fixture) };
  }

  before(async () => {
    const { fixture, long, since } = await loadAtItsTime(connection, deploy);
    f = { ...fixture, since };
    enclaves = [f.rsa, f.otherRsa, long];
    // Heartbeats cover half an hour: all of these times are covered and past, but for what a mutation makes of them.
    await f.networkHelpers.time.increase(10 * 60);
  });

  /** What the public network's clients would say, and the registry's history. */
  const isGood = async (leaf: LegacyLeaf): Promise<boolean> => {
    const enclave = enclaves.find(({ teeId }) => teeId === leaf.teeId);
    return (
      enclave !== undefined &&
      leaf.timestamp >= f.since &&
      leaf.timestamp <= (await now(f)) &&
      getBytes(leaf.teeSignature).length >= LEGACY_MINIMUM_SIGNATURE_LENGTH &&
      isSignedPerOpenssl(enclave, leaf)
    );
  };

  /** All enclaves as data. */
  const nodes = async (): Promise<Map<string, LegacyNode>> => {
    const active = [{ from: f.since, until: (await now(f)) + 1n }];
    return new Map(
      [...enclaves, f.p256, f.secp256k1].map(({ teeId, signingKey }) => [
        teeId,
        { signingKey: hexlify(signingKey), active },
      ]),
    );
  };

  const signed = (name: string): LegacyLeaf =>
    signLeaf(random.pick(enclaves), name, f.since + BigInt(random.below(600)));

  const changeByte = (hex: string): string => {
    const bytes = getBytes(hex);
    const place = random.below(bytes.length);
    bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8));
    return hexlify(bytes);
  };
  const ofSigner = (leaf: LegacyLeaf): SimulatedEnclave =>
    enclaves.find(({ teeId }) => teeId === leaf.teeId) ?? f.rsa;

  const LEAF_MUTATIONS: Record<string, (leaf: LegacyLeaf) => LegacyLeaf> = {
    hashesSwapped: (leaf) => ({
      ...leaf,
      inputHash: leaf.outputHash,
      outputHash: leaf.inputHash,
    }),
    teeIdByte: (leaf) => ({ ...leaf, teeId: changeByte(leaf.teeId) }),
    inputByte: (leaf) => ({ ...leaf, inputHash: changeByte(leaf.inputHash) }),
    outputByte: (leaf) => ({ ...leaf, outputHash: changeByte(leaf.outputHash) }),
    signatureByte: (leaf) => ({ ...leaf, teeSignature: changeByte(leaf.teeSignature) }),
    signatureShort: (leaf) => ({ ...leaf, teeSignature: leaf.teeSignature.slice(0, -2) }),
    signatureLong: (leaf) => ({ ...leaf, teeSignature: `${leaf.teeSignature}bc` }),
    signatureMalleated: (leaf) => malleate(ofSigner(leaf), leaf),
    signatureAgain: (leaf) => signMessage(ofSigner(leaf), leaf),
    otherNode: (leaf) => ({ ...leaf, teeId: random.pick(enclaves).teeId }),
    otherSigner: (leaf) => signMessage(random.pick(enclaves), leaf),
    ellipticSigner: (leaf) => signMessage(random.pick([f.p256, f.secp256k1]), leaf),
    otherTime: (leaf) => ({ ...leaf, timestamp: leaf.timestamp + 1n }),
    signedTooEarly: (leaf) =>
      signMessage(ofSigner(leaf), { ...leaf, timestamp: f.since - 86_400n }),
    signedTooLate: (leaf) => signMessage(ofSigner(leaf), { ...leaf, timestamp: f.since + 86_400n }),
  };

  /** Leaves of a batch that was anchored, good and bad ones, and each once more under a proof that is not its own. */
  async function makeCases(number: number): Promise<{ cases: Case[]; size: bigint }> {
    const honest = Array.from({ length: 1 + random.below(MAXIMUM_BATCH) }, (_, i) =>
      signed(`${number} ${i}`),
    );
    const named = honest.flatMap((leaf) => [
      { name: "honest", leaf },
      ...Array.from({ length: MUTANTS_PER_LEAF }, () => {
        const name = random.pick(Object.keys(LEAF_MUTATIONS));
        return { name, leaf: LEAF_MUTATIONS[name]?.(leaf) ?? leaf };
      }),
    ]);
    // Some mutants are in the tree and some are not: a bad leaf with a path, and a good path without its leaf.
    const inTree = named.filter(({ name }) => name === "honest" || random.below(2) === 0);
    const { root, size, proofOf } = makeBatch(inTree.map(({ leaf }) => leaf));
    await f.legacySettlement.batchSettle(root, size, BLOB_ID);
    const cases = named.map((one): Case => {
      const place = inTree.indexOf(one);
      const proof = proofOf(place === -1 ? random.below(inTree.length) : place);
      const isChanged = random.below(4) === 0;
      return { ...one, root, proof: isChanged ? changeProof(proof) : proof };
    });
    return { cases, size };
  }

  const changeProof = (proof: readonly string[]): string[] =>
    random.pick([
      [...proof, id("one more")],
      proof.slice(0, -1),
      proof.map((hash, i) => (i === 0 ? changeByte(hash) : hash)),
      [...proof].reverse(),
    ]);

  it("test_AgreeOnHashesProofsAndVerdicts", async function () {
    this.timeout(600_000);
    const seen = { included: 0, notSigned: 0, notInTree: 0, leaves: 0 };
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const { cases, size } = await makeCases(batch);
      for (const { name, leaf, proof, root } of cases) {
        const subject = `${SEED}: batch ${batch}, ${name}`;
        const { inputHash, outputHash, timestamp } = leaf;
        const leafHash = hashLegacyLeaf(leaf);
        expect(await f.legacySettlement.hashLeaf(leaf), subject).to.equal(leafHash);
        expect(
          await f.legacySettlement.computeMessageHash(inputHash, outputHash, timestamp),
          subject,
        ).to.equal(legacyMessageHash(leaf));
        const isInTree = isMerkleProof({ proof, root, leafHash });
        expect(await f.legacySettlement.verifyProof([...proof], root, leafHash), subject).to.equal(
          isInTree,
        );
        const isSigned = await isGood(leaf);
        const sender = f.administrator.address;
        expect(
          await f.legacySettlement.verifyInclusion(sender, root, size, BLOB_ID, leaf, [...proof]),
          subject,
        ).to.equal(isInTree && isSigned);
        expect(
          await judgeLegacyLeaf({ leaf, proof, root, isAnchored: true, nodes: await nodes() }),
          subject,
        ).to.equal(isInTree && isSigned);
        seen.leaves += 1;
        if (isInTree && isSigned) seen.included += 1;
        if (!isSigned) seen.notSigned += 1;
        if (!isInTree) seen.notInTree += 1;
      }
    }
    // A run that saw one kind of leaf alone would prove little.
    expect(seen.leaves).to.be.greaterThan(20 * BATCHES);
    expect(seen.included).to.be.greaterThan(2 * BATCHES);
    expect(seen.notSigned).to.be.greaterThan(5 * BATCHES);
    expect(seen.notInTree).to.be.greaterThan(5 * BATCHES);
  });
});
