import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { keysHashOf } from "@haca/attestation/binding";
import { type KnownVendor, VENDORS, vendorOf } from "@haca/attestation/vendors";
import { startSimulatedEnclave } from "@haca/enclave-simulator/startSimulatedEnclave";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { expect } from "chai";
import { getBytes, hexlify, id, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { collectEvidence } from "../../../scripts/tee/collectEvidence.ts";
import { explainDocument } from "../../../scripts/tee/explainDocument.ts";
import { verifierOf } from "../../../scripts/tee/teeContracts.ts";
import {
  deployRegistry,
  LLM_PROXY,
  loadAtItsTime,
  makeEnclave,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import { encodeOpenClaims, openVendor } from "../utils/openVendor.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const { verifierId: OPEN } = openVendor;
const DIGEST = id("an image of the second vendor");
const SIGNER = id("its signer");
const vendors = [...VENDORS, openVendor];

describe("vendors of evidence", () => {
  let f: RegistryFixture;
  const deployFixture = () => deployRegistry(connection);
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployFixture);
  });
  const contracts = () =>
    ({
      chainId: f.chainId,
      registry: f.registry.connect(f.operator),
    }) as unknown as Parameters<typeof collectEvidence>[0]["contracts"];
  const lookUp = (verifierId: number, known: readonly KnownVendor[] = vendors) =>
    verifierOf({ contracts: contracts(), runner: f.operator, verifierId, vendors: known });

  /** The second vendor's verifier in the registry, and its image approved: no contract is changed for it. */
  async function takeOpenEvidence(): Promise<void> {
    const open = await deployMock(f.ethers, "OpenVerifier");
    await f.registry.connect(f.governance).setVerifier(OPEN, await open.getAddress());
    const data = f.registry.interface.encodeFunctionData("approveImage", [
      ...([DIGEST, "v1", LLM_PROXY, OPEN, `0x${"00".repeat(16)}`, ZeroHash, ""] as const),
    ]);
    const target = await f.registry.getAddress();
    await f.manager.connect(f.approver).schedule(target, data, 0);
    await f.networkHelpers.time.increase(2 * 24 * 60 * 60);
    await f.manager.connect(f.approver).execute(target, data);
  }

  it("test_TableSaysWhatEachVerifierReads", async () => {
    const { evidenceType, verifierId } = ATTESTATION_VENDORS.nitro;
    expect(await f.verifier.evidenceType()).to.equal(id(evidenceType));
    expect(await f.registry.evidenceTypeOf(verifierId)).to.equal(id(evidenceType));
    expect(vendorOf(id(evidenceType))?.name).to.equal("nitro");
    expect(vendorOf(id(openVendor.evidenceType))).to.equal(undefined);
    for (const key of ["name", "verifierId", "evidenceType", "verifier"] as const) {
      expect(new Set(VENDORS.map((vendor) => vendor[key])).size, key).to.equal(VENDORS.length);
    }
  });

  it("test_VendorIsLookedUpByWhatTheVerifierReads", async () => {
    await takeOpenEvidence();
    const nitro = await lookUp(ATTESTATION_VENDORS.nitro.verifierId);
    expect(nitro.vendor.name).to.equal("nitro");
    expect(nitro.store?.target).to.equal(f.store.target);
    const open = await lookUp(OPEN);
    expect(open.vendor).to.equal(openVendor);
    expect(open.store).to.equal(undefined);
    // The same vendor under another id is still that vendor.
    await f.registry.connect(f.governance).setVerifier(7, await f.verifier.getAddress());
    expect(await lookUp(7)).to.deep.include({ verifierId: 7, address: f.verifier.target });
    expect((await lookUp(7)).vendor.name).to.equal("nitro");
  });

  it("test_RevertWhen_NothingReadsThatEvidence", async () => {
    await takeOpenEvidence();
    const failure = async (looked: Promise<unknown>) =>
      looked.then(
        () => "found",
        (error: { code: string }) => error.code,
      );
    expect(await failure(lookUp(OPEN, VENDORS))).to.equal("attestation.vendorUnknown");
    expect(await failure(lookUp(2))).to.equal("tee.refused");
    expect(await f.registry.verifier(2)).to.equal(ZeroAddress);
  });

  it("test_SecondVendorIsAdmittedByTheSameCommands", async () => {
    await takeOpenEvidence();
    const enclave = await makeEnclave(f);
    const publicSide = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
    const keys = {
      tlsCertificate: hexlify(enclave.tlsCertificate),
      signingKey: hexlify(enclave.signingKey),
    };
    let keysHash = keysHashOf(keys);
    const issuedAt = await now(f);
    // The second vendor's gateway: evidence with all 32 bytes of the binding that it is asked with.
    const gateway = createServer((request, response) => {
      const binding = new URL(request.url ?? "", "http://enclave").searchParams.get("nonce");
      response.end(
        binding === null
          ? Buffer.from(enclave.signingKey)
          : getBytes(
              encodeOpenClaims({
                ...{ measurement: DIGEST, keysHash, issuedAt, signer: SIGNER },
                binding: `0x${binding}`,
              }),
            ),
      );
    }).listen(0, "127.0.0.1");
    await once(gateway, "listening");
    const collect = async () =>
      collectEvidence({
        ...{ contracts: contracts(), runner: f.operator, verifier: await lookUp(OPEN) },
        request: {
          enclave: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
          operator: f.operator.address,
          paymentAddress: f.payee.address,
          endpoint: publicSide.publicUrl,
          ...{ teeType: LLM_PROXY, tls: undefined },
        },
      });
    try {
      const { registration, teeId, result } = await collect();
      expect(explainDocument({ result, now: issuedAt })).to.include(`digest       ${DIGEST}`);
      await f.registry.connect(f.operator).register(registration, GAS);
      expect(await f.registry.isTEEActive(teeId)).to.equal(true);
      const node = await f.lens.getNode(teeId);
      expect([node.verifierId, node.signerCertificate]).to.deep.equal([BigInt(OPEN), SIGNER]);

      keysHash = id("other keys");
      const refusal = await collect().catch((error: Error) => error.message);
      expect(refusal).to.include("it vouches for other keys");
    } finally {
      gateway.close();
      await publicSide.close();
    }
  });
});
