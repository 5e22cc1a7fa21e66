import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import {
  type Measurements,
  type SigningKeyKind,
  SimulatedEnclave,
} from "@haca/enclave-simulator/simulatedEnclave";
import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import {
  DEFAULT_ATTESTATION_MAX_AGE,
  DEFAULT_HEARTBEAT_MAX_AGE,
  IMAGE_APPROVAL_DELAY,
} from "@haca/protocol/attestationParameters";
import { ROLES } from "@haca/protocol/roles";
import type { BaseContract, Signer } from "ethers";
import { getBytes, hexlify, id, sha256, ZeroHash } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { testModule } from "../../../testing/modules.ts";
import { deployOn } from "./deployOn.ts";
import { GAS } from "./transactionGas.ts";

/** Block time at which everything starts. */
export const START = 1_900_000_000n;
const SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;
export const LLM_PROXY = 0;
export const ENDPOINT = "https://node.example:443";

export const pcrsOf = ([pcr0, pcr1, pcr2]: Measurements) => ({ pcr0, pcr1, pcr2 });

/** Certificate store and verifier over a root, without a registry and without rules. */
export async function deployVerifier(parameters: {
  connection: NetworkConnection;
  root: Uint8Array;
}) {
  const { connection, root } = parameters;
  const { ethers } = connection;
  const [administrator] = await ethers.getSigners();
  if (!administrator) throw new Error("no accounts");
  const manager = await ethers.deployContract("AccessManager", [administrator.address]);
  const ecdsa = await ethers.deployContract("EcdsaP384", [p384BaseTable()]);
  const store = await ethers.deployContract("CertificateStore", [
    await manager.getAddress(),
    await ecdsa.getAddress(),
    root,
  ]);
  const verifier = await ethers.deployContract("NitroAttestationVerifier", [
    await store.getAddress(),
    await ecdsa.getAddress(),
  ]);
  return { administrator, manager, ecdsa, store, verifier };
}

/** The registry over a simulated root, with roles as a deployment wires them and one approved image. */
export async function deployRegistry(connection: NetworkConnection) {
  const { ethers, networkHelpers } = connection;
  const latest = BigInt(await networkHelpers.time.latest());
  const start = latest < START ? START : latest + 1n;
  await networkHelpers.time.setNextBlockTimestamp(start);
  const [administrator, governance, approver, guardian, registrar, operator, attacker, payee] =
    await ethers.getSigners();
  if (
    !administrator ||
    !governance ||
    !approver ||
    !guardian ||
    !registrar ||
    !operator ||
    !attacker ||
    !payee
  ) {
    throw new Error("no accounts");
  }
  const chain = makeSimulatedChain({ now: start });
  const deployed = await deployOn(connection, (module) =>
    testModule(module, {
      settlementWindow: SETTLEMENT_WINDOW,
      attestation: {
        rootCertificate: chain.root,
        rootFingerprint: sha256(chain.root),
        isDevelopmentRoot: true,
        heartbeatMaxAge: DEFAULT_HEARTBEAT_MAX_AGE,
        attestationMaxAge: DEFAULT_ATTESTATION_MAX_AGE,
      },
      holders: {
        GOVERNANCE: { account: governance.address },
        IMAGE_APPROVER: { account: approver.address, delay: IMAGE_APPROVAL_DELAY },
        GUARDIAN: { account: guardian.address },
        REGISTRAR: { account: registrar.address },
      },
    }),
  );
  const { getContractAt } = ethers;
  const manager = await getContractAt("AccessManager", deployed.accessManager.address);
  const ecdsa = await getContractAt("EcdsaP384", deployed.ecdsaP384.address);
  const store = await getContractAt("CertificateStore", deployed.certificateStore.address);
  const verifier = await getContractAt("NitroAttestationVerifier", deployed.verifier.address);
  const keys = await getContractAt("SigningKeys", deployed.signingKeys.address);
  const registry = await getContractAt("TEERegistry", deployed.teeRegistry.address);
  // The same address: what the registry passes on.
  const legacy = await getContractAt("ILegacyAnswers", deployed.teeRegistry.address);
  const lens = await getContractAt("TEERegistryLens", deployed.teeRegistryLens.address);
  const models = await getContractAt("ModelRegistry", deployed.modelRegistry.address);
  const legacySettlement = await getContractAt(
    "LegacySettlement",
    deployed.legacySettlement.address,
  );
  const settlement = await getContractAt(
    "InferenceSettlement",
    deployed.inferenceSettlement.address,
  );
  const image = measurementsOf("image");
  const fixture = {
    ...{ connection, ethers, networkHelpers, registry, legacy, lens, chain, image },
    ...{ models, legacySettlement, settlement },
    ...{ administrator, manager, ecdsa, store, verifier, keys },
    ...{ governance, approver, guardian, registrar, operator, attacker, payee },
    chainId: (await ethers.provider.getNetwork()).chainId,
  };
  await approve(fixture, image);
  return fixture;
}
export type RegistryFixture = Awaited<ReturnType<typeof deployRegistry>>;

export async function wire(
  manager: Awaited<ReturnType<typeof deployVerifier>>["manager"],
  name: string,
  target: BaseContract,
): Promise<void> {
  for (const { contract, role, functions } of ACCESS_TABLE) {
    if (contract !== name) continue;
    const selectors = functions.map((signature) => id(signature).slice(0, 10));
    await manager.setTargetFunctionRole(await target.getAddress(), selectors, ROLES[role]);
  }
}

/** Approves an image as an approver has to: scheduled, then after the delay. */
export async function approve(
  fixture: Pick<RegistryFixture, "manager" | "registry" | "approver" | "networkHelpers">,
  image: Measurements,
  teeType = LLM_PROXY,
  verifierId = 0,
): Promise<void> {
  const { manager, registry, approver, networkHelpers } = fixture;
  const target = await registry.getAddress();
  const key = [teeType, verifierId] as const;
  const { lastRevocation } = await registry.imageState(pcrHashOf(image), ...key);
  const data = registry.interface.encodeFunctionData("approveImage", [
    ...([pcrHashOf(image), "v1", ...key, lastRevocation, ZeroHash, ""] as const),
  ]);
  await manager.connect(approver).schedule(target, data, 0);
  await networkHelpers.time.increase(IMAGE_APPROVAL_DELAY);
  await manager.connect(approver).execute(target, data);
}

/**
 * Loads a fixture and lets the next block follow the fixture's last one. Without that, the chain's clock would have
 * gone on with the machine's since the fixture was made, and evidence would be too old or not, as the machine is slow
 * or not.
 */
export async function loadAtItsTime<T>(
  connection: NetworkConnection,
  fixture: () => Promise<T>,
): Promise<T> {
  const { loadFixture, time } = connection.networkHelpers;
  const loaded = await loadFixture(fixture);
  await time.increaseTo((await time.latest()) + 1);
  return loaded;
}

export async function now(fixture: Pick<RegistryFixture, "networkHelpers">): Promise<bigint> {
  return BigInt(await fixture.networkHelpers.time.latest());
}

/** An enclave on the approved image, or on another one, under a chain that is valid now. */
export async function makeEnclave(
  fixture: RegistryFixture,
  options: { kind?: SigningKeyKind; image?: Measurements } = {},
): Promise<SimulatedEnclave> {
  const time = await now(fixture);
  const { rootAuthority: root } = fixture.chain;
  const chain = makeSimulatedChain({ now: time, root });
  return new SimulatedEnclave({
    chain,
    measurements: options.image ?? fixture.image,
    kind: options.kind ?? "p256",
    now: time,
  });
}

/** A registration of an enclave, with evidence that is bound to `operator` and hints for what is not stored yet. */
export async function makeRegistration(
  fixture: RegistryFixture,
  enclave: SimulatedEnclave,
  options: {
    operator?: Signer;
    paymentAddress?: string;
    endpoint?: string;
    teeType?: number;
    /** unix seconds of the document */
    documentTime?: bigint;
    document?: Uint8Array;
    isIndefinite?: boolean;
    overrides?: Parameters<SimulatedEnclave["attest"]>[0]["overrides"];
    /** address that the evidence is bound to instead of the registry's */
    boundTo?: string;
  } = {},
) {
  const { registry, chainId, payee, store } = fixture;
  const operator = await (options.operator ?? fixture.operator).getAddress();
  const paymentAddress = options.paymentAddress ?? payee.address;
  const endpoint = options.endpoint ?? ENDPOINT;
  const teeType = options.teeType ?? LLM_PROXY;
  const nonce = bindingNonce({
    ...{
      chainId,
      registry: options.boundTo ?? (await registry.getAddress()),
      operator,
      paymentAddress,
    },
    ...{ endpoint, teeType },
  });
  const document =
    options.document ??
    enclave.attest({
      now: options.documentTime ?? (await now(fixture)),
      nonce: getBytes(nonce),
      ...(options.isIndefinite === undefined ? {} : { isIndefinite: options.isIndefinite }),
      ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
    });
  const hints = await documentHints({ document, isStored: (id) => store.isStored(id) });
  return {
    verifierId: 0,
    evidence: hexlify(document),
    hints: hints.map((hint) => hexlify(hint)),
    signingKey: hexlify(enclave.signingKey),
    tlsCertificate: hexlify(enclave.tlsCertificate),
    paymentAddress,
    endpoint,
    teeType,
  };
}

/** An admitted node. */
export async function admit(
  fixture: RegistryFixture,
  options: Parameters<typeof makeRegistration>[2] & {
    kind?: SigningKeyKind;
    image?: Measurements;
  } = {},
) {
  const enclave = await makeEnclave(fixture, options);
  const registration = await makeRegistration(fixture, enclave, options);
  const { registry, operator } = fixture;
  await registry.connect(options.operator ?? operator).register(registration, GAS);
  return { enclave, registration, teeId: enclave.teeId };
}
