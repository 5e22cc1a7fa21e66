import { keysHashOf } from "@haca/attestation/binding";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { expect } from "chai";
import { AbiCoder, keccak256, toUtf8Bytes, Wallet, ZeroHash } from "ethers";
import { network } from "hardhat";
import { LLM_PROXY, pcrsOf, START } from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import { seededRandom } from "../utils/seededRandom.ts";

const DAY = 86_400n;
const MAXIMUM_AGE = 90n * DAY;
const NODES = 4;
const STEPS = process.env.HACA_DEEP === "1" ? 400 : 60;
const SECP256K1_SPKI = "0x3056301006072a8648ce3d020106052b8104000a034200";

const CLAIMS = ["(bytes32,bytes32,bytes32,uint64,bytes32)"];

/**
 * N1, with what only others can withdraw: certificates and images; and over the past. Heartbeats and attestations stay
 * fresh throughout, so that what decides is what happened to the node.
 */
describe("TEERegistry active set", () => {
  it("testFuzz_ActiveSetIsExact_RevokedCertificatesAndThePastIncluded", async () => {
    const random = seededRandom(process.env.HACA_SEED ?? "active set");
    const connection = await network.create();
    const { ethers, networkHelpers } = connection;
    const [owner] = await ethers.getSigners();
    if (owner === undefined) throw new Error("no account");
    await networkHelpers.time.setNextBlockTimestamp(START);
    const manager = await ethers.deployContract("AccessManager", [owner.address]);
    const keys = await ethers.deployContract("SigningKeys");
    const verifier = await deployMock(ethers, "OpenVerifier");
    const registry = await ethers.deployContract("TEERegistry", [
      ...[await manager.getAddress(), await keys.getAddress(), await verifier.getAddress()],
      ...[DAY, MAXIMUM_AGE],
    ]);
    const lens = await ethers.deployContract("TEERegistryLens", [await registry.getAddress()]);
    await registry.addTEEType(LLM_PROXY, "LLMProxy");
    const image = measurementsOf("image");
    const pcrHash = pcrHashOf(image);
    await registry.approvePCR(pcrsOf(image), "v1", LLM_PROXY);
    const now = async () => BigInt(await networkHelpers.time.latest());

    /** Our own account: what was so from when on. */
    type Entry = { from: bigint; inService: boolean; generation: number };
    type Known = {
      teeId: string;
      signerCertificate: string;
      history: Entry[];
      isWithdrawn: boolean;
    };
    let generation = 1;
    const approvals: { generation: number; from: bigint; until: bigint | undefined }[] = [
      { generation, from: await now(), until: undefined },
    ];
    const nodes: Known[] = [];
    for (let i = 0; i < NODES; i++) {
      const point = new Wallet(keccak256(toUtf8Bytes(`node ${i}`))).signingKey.publicKey;
      const signingKey = `${SECP256K1_SPKI}${point.slice(2)}`;
      const endpoint = "https://node.example";
      const signerCertificate = keccak256(toUtf8Bytes(`certificate ${i}`));
      const claims = [
        ...[pcrHash, keysHashOf({ tlsCertificate: "0xabcd", signingKey })],
        await registry.computeBinding(owner.address, owner.address, endpoint, LLM_PROXY),
        ...[await now(), signerCertificate],
      ];
      await registry.register({
        ...{ verifierId: 0, hints: [], signingKey, tlsCertificate: "0xabcd", endpoint },
        evidence: AbiCoder.defaultAbiCoder().encode(CLAIMS, [claims]),
        ...{ paymentAddress: owner.address, teeType: LLM_PROXY },
      });
      const history = [{ from: await now(), inService: true, generation }];
      nodes.push({ teeId: keccak256(signingKey), signerCertificate, history, isWithdrawn: false });
    }

    const isApprovedAt = (entry: Entry, at: bigint) =>
      approvals.some(
        (approval) =>
          approval.generation === entry.generation &&
          approval.from <= at &&
          (approval.until === undefined || at < approval.until),
      );
    const expected = ({ history, isWithdrawn }: Known, at: bigint) => {
      const entry = history.findLast(({ from }) => from <= at);
      return entry?.inService === true && isApprovedAt(entry, at) && !isWithdrawn;
    };
    const change = async (node: Known, inService: boolean) => {
      const last = node.history.at(-1);
      node.history.push({ generation: last?.generation ?? 0, inService, from: await now() });
    };
    const step = async (): Promise<void> => {
      const node = random.pick(nodes);
      const last = node.history.at(-1);
      const approval = approvals.at(-1);
      switch (random.below(12)) {
        case 0: {
          if (node.isWithdrawn || nodes.filter((other) => other.isWithdrawn).length > 1) return;
          await verifier.withdraw(node.signerCertificate);
          node.isWithdrawn = true;
          return;
        }
        case 1: {
          if (approval === undefined || approval.until !== undefined || random.below(4) > 0) return;
          await registry.revokePCR(pcrHash, LLM_PROXY);
          approval.until = await now();
          return;
        }
        case 2: {
          if (approval?.until === undefined) return;
          const { lastRevocation } = await lens.getImage(pcrHash, LLM_PROXY, 0);
          await registry.approveImage(
            ...([pcrHash, "again", LLM_PROXY, 0, lastRevocation, ZeroHash, ""] as const),
          );
          generation += 1;
          approvals.push({ generation, from: await now(), until: undefined });
          return;
        }
        default: {
          if (last?.inService === true) {
            await registry.disableTEE(node.teeId);
            await change(node, false);
          } else if (last !== undefined && isApprovedAt(last, await now())) {
            await registry.enableTEE(node.teeId);
            await change(node, true);
          }
        }
      }
    };

    const times = [START, await now()];
    const seen = { active: 0, inactive: 0 };
    for (let i = 0; i < STEPS; i++) {
      await networkHelpers.time.increase(1 + random.below(20));
      await step();
      const at = await now();
      times.push(at - 1n, at);
      for (const node of nodes) {
        const isActive = expected(node, at);
        expect(await registry.isTEEActive(node.teeId), `now, step ${i}`).to.equal(isActive);
        for (const past of [at, at - 1n, random.pick(times), random.pick(times)]) {
          const was = expected(node, past);
          expect(await registry.isActiveAt(node.teeId, past), `${past}, step ${i}`).to.equal(was);
          seen[was ? "active" : "inactive"] += 1;
        }
        expect(await registry.isActiveAt(node.teeId, at + 1_000n)).to.equal(false);
      }
      const active = await lens.listActiveNodes(LLM_PROXY, 0, NODES);
      expect([...active]).to.deep.equal(
        nodes.filter((node) => expected(node, at)).map(({ teeId }) => teeId),
      );
    }
    // Worth something only if both came often, and a certificate was revoked.
    expect(Math.min(seen.active, seen.inactive)).to.be.greaterThan(STEPS);
    expect(nodes.some(({ isWithdrawn }) => isWithdrawn)).to.equal(true);
    await connection.close();
  });
});
