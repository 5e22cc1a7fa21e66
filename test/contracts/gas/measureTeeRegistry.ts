import { keysHashOf } from "@haca/attestation/binding";
import { encodeClaims } from "@haca/attestation/nitro/encodeClaims";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { AbiCoder, concat, getBytes, keccak256, toBeHex, Wallet } from "ethers";
import {
  admit,
  approve,
  deployRegistry,
  ENDPOINT,
  LLM_PROXY,
  makeEnclave,
  makeRegistration,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const MANY_NODES = 500;
const OPEN_VERIFIER = 1;
const SESSION = new Wallet(`0x${"5e".repeat(32)}`);

/** Attestation and the TEE registry, with simulated enclaves on a real-format chain of four certificates. */
export const measureTeeRegistry: Measure = async (connection) => {
  const fixture = await deployRegistry(connection);
  const samples: Record<string, bigint[]> = {};
  const add = (key: string, gas: bigint) => {
    samples[key] = [...(samples[key] ?? []), gas];
  };
  // The first node of a type also pays for the list's length; the others do not.
  await admit(fixture);
  for (let i = 0; i < SAMPLES; i++) await measureNode(fixture, add);
  add("image.revoke", await revokeWithNodes(fixture, 1));
  add("image.revoke.500", await revokeWithNodes(fixture, MANY_NODES));
  return {
    samples,
    notes: {
      "attest.cold":
        "verify a document of 3.2 kB with nothing but the root stored: 4 certificates and the document",
      "attest.warm": "verify a document of 3.2 kB whose certificates are stored",
      "attest.register": "cold document and registration in one transaction, P-256 key",
      "register.node":
        "register with the claims of a document verified beforehand, RSA-2048 key, TLS certificate of 310 bytes",
      "register.node.document": "the same with the whole document, 3.2 kB",
      "heartbeat.rsa": "RSA-2048 key",
      "heartbeat.p256": "P-256 key",
      "heartbeat.session": "certified secp256k1 session key",
      "image.revoke": "1 node on the image",
      "image.revoke.500": `${MANY_NODES} nodes on the image`,
    },
  };
};

async function measureNode(
  fixture: RegistryFixture,
  add: (key: string, gas: bigint) => void,
): Promise<void> {
  const { registry, verifier, operator } = fixture;
  const rsa = await makeEnclave(fixture, { kind: "rsa" });
  const cold = await makeRegistration(fixture, rsa);
  add("attest.cold", await gasOf(verifier.verify(cold.evidence, cold.hints, GAS)));
  const warm = await makeRegistration(fixture, rsa);
  add("attest.warm", await gasOf(verifier.verify(warm.evidence, warm.hints)));
  const evidence = encodeClaims(getBytes(warm.evidence));
  const registration = { ...warm, evidence, hints: [] };
  add("register.node", await gasOf(registry.connect(operator).register(registration)));
  add("heartbeat.rsa", await gasOf(beat(fixture, rsa)));

  const whole = await makeEnclave(fixture, { kind: "rsa" });
  const document = await makeRegistration(fixture, whole);
  await verifier.verify(document.evidence, document.hints);
  const byDocument = { ...document, hints: [] };
  add("register.node.document", await gasOf(registry.connect(operator).register(byDocument)));

  const p256 = await makeEnclave(fixture);
  const atOnce = await makeRegistration(fixture, p256);
  add("attest.register", await gasOf(registry.connect(operator).register(atOnce, GAS)));
  add("heartbeat.p256", await gasOf(beat(fixture, p256)));
  await certifySession(fixture, p256);
  add("heartbeat.session", await gasOf(sessionBeat(fixture, p256.teeId)));
}

type Node = Awaited<ReturnType<typeof makeEnclave>>;

async function beat({ registry, networkHelpers }: RegistryFixture, node: Node) {
  const time = (await now({ networkHelpers })) + 1n;
  const message = keccak256(
    AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [node.teeId, time]),
  );
  return registry.heartbeat(node.teeId, time, node.sign(message));
}

async function domainOf({ registry, chainId }: RegistryFixture) {
  const verifyingContract = await registry.getAddress();
  return { name: "HACA TEERegistry", version: "1", chainId, verifyingContract };
}

async function certifySession(fixture: RegistryFixture, node: Node) {
  const { ethers, registry } = fixture;
  const until = (await now(fixture)) + 3600n;
  const value = {
    teeId: node.teeId,
    key: SESSION.address,
    signsResults: false,
    until,
    counter: 1n,
  };
  const types = {
    SessionKey: [
      { name: "teeId", type: "bytes32" },
      { name: "key", type: "address" },
      { name: "signsResults", type: "bool" },
      { name: "until", type: "uint64" },
      { name: "counter", type: "uint64" },
    ],
  };
  const digest = ethers.TypedDataEncoder.hash(await domainOf(fixture), types, value);
  await registry.certifySessionKey(
    node.teeId,
    SESSION.address,
    false,
    until,
    1n,
    node.sign(digest),
  );
}

async function sessionBeat(fixture: RegistryFixture, teeId: string) {
  const timestamp = (await now(fixture)) + 1n;
  const types = {
    Heartbeat: [
      { name: "teeId", type: "bytes32" },
      { name: "timestamp", type: "uint256" },
    ],
  };
  const signature = await SESSION.signTypedData(await domainOf(fixture), types, {
    teeId,
    timestamp,
  });
  return fixture.registry.heartbeatBySession(teeId, timestamp, signature);
}

/** Gas of revoking an image that this many nodes run. Their evidence is believed: it is not what is measured. */
async function revokeWithNodes(fixture: RegistryFixture, count: number): Promise<bigint> {
  const { ethers, registry, governance, operator, guardian, payee } = fixture;
  const image = measurementsOf(`image of ${count} nodes`);
  await approve(fixture, image, LLM_PROXY, OPEN_VERIFIER);
  const open = await ethers.deployContract("OpenVerifier");
  await registry.connect(governance).setVerifier(OPEN_VERIFIER, await open.getAddress());
  const binding = await registry.computeBinding(
    ...([operator.address, payee.address, ENDPOINT, LLM_PROXY] as const),
  );
  for (let i = 0; i < count; i++) {
    const signingKey = concat([
      "0x3056301006072a8648ce3d020106052b8104000a034200",
      "0x04",
      toBeHex(count * 1_000_000 + i, 64),
    ]);
    const tlsCertificate = "0x3000";
    const claims = {
      measurement: pcrHashOf(image),
      keysHash: keysHashOf({ tlsCertificate, signingKey }),
      binding,
      issuedAt: await now(fixture),
      signerCertificate: keccak256("0x01"),
    };
    const evidence = AbiCoder.defaultAbiCoder().encode(
      ["(bytes32,bytes32,bytes32,uint64,bytes32)"],
      [Object.values(claims)],
    );
    await registry.connect(operator).register({
      ...{ verifierId: OPEN_VERIFIER, evidence, hints: [], signingKey, tlsCertificate },
      ...{ paymentAddress: payee.address, endpoint: ENDPOINT, teeType: LLM_PROXY },
    });
  }
  return gasOf(registry.connect(guardian).revokeImage(pcrHashOf(image), LLM_PROXY, OPEN_VERIFIER));
}
