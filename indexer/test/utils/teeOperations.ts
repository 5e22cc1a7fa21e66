import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { certificateIds, parseCertificate } from "@haca/attestation/x509/parseCertificate";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { encodeAbiParameters, type Hex, hashTypedData, hexToBytes, keccak256, toHex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { measurementsOf, pcrHashOf, type Tee, teeIdOf } from "./accessTee.ts";
import type { Random } from "./randomFrom.ts";
import type { Chain } from "./startChain.ts";

const HOUR = 3600n;
const KINDS = ["rsa", "p256", "secp256k1", "secp256k1"] as const;
export const IMAGES = ["first", "second", "third"].map(measurementsOf);
export const TYPES = [0, 1];

export type TeeNode = {
  enclave: SimulatedEnclave;
  operator: Hex;
  teeType: number;
  /** issuer and serial of the certificates that signed its documents */
  certificates: { id: Hex; issuer: Uint8Array; serial: bigint }[];
  sessionKeys: Hex[];
  verifierId: number;
  counter: bigint;
};

/**
 * What can happen to a registry, each with arguments drawn from `random`. An operation that the registry refuses
 * throws; `nodes` are those that were admitted.
 */
export function teeOperations(parameters: { chain: Chain; tee: Tee; random: Random }) {
  const { chain, tee, random } = parameters;
  const { call } = tee;
  const nodes: TeeNode[] = [];
  const operators = chain.accounts.slice(1, 5);
  const anyId = () => teeIdOf(random.pick(nodes).enclave);
  const now = async () => (await chain.client.getBlock()).timestamp;
  const domain = {
    name: "HACA TEERegistry",
    version: "1",
    chainId: chain.client.chain.id,
    verifyingContract: tee.registry.address,
  };

  const attest = async (node: TeeNode, send: "register" | "renew") => {
    const { enclave, operator, teeType, verifierId } = node;
    const endpoint = `https://node.example:${random.below(1000)}`;
    const registration = await tee.registrationOf({
      ...{ enclave, operator, teeType, endpoint, verifierId },
    });
    if (send === "register") {
      await call("register", [registration], operator);
    } else {
      await call("renew", [teeIdOf(enclave), registration], operator);
    }
    const document = parseDocument(hexToBytes(registration.evidence));
    const { issuer, serial } = parseCertificate(document.certificate);
    const id = certificateIds([...document.cabundle, document.certificate]).at(-1) as Hex;
    node.certificates.push({ id, issuer, serial });
  };

  const byOperator = (name: "disableTEE" | "enableTEE" | "retireTEE") => {
    const { enclave, operator } = random.pick(nodes);
    return call(name, [teeIdOf(enclave)], operator);
  };

  const operations = {
    register: async () => {
      const enclave = await tee.makeEnclave({
        measurements: random.pick(IMAGES),
        kind: random.pick(KINDS),
      });
      const node: TeeNode = {
        ...{ enclave, operator: random.pick(operators), teeType: random.pick(TYPES) },
        ...{ certificates: [], sessionKeys: [], verifierId: random.below(2), counter: 0n },
      };
      await attest(node, "register");
      nodes.push(node);
    },
    renew: () => attest(random.pick(nodes), "renew"),
    heartbeat: async () => {
      const { enclave } = random.pick(nodes);
      const teeId = teeIdOf(enclave);
      const timestamp = (await now()) + BigInt(random.below(60));
      const message = keccak256(
        encodeAbiParameters([{ type: "bytes32" }, { type: "uint256" }], [teeId, timestamp]),
      );
      await call("heartbeat", [teeId, timestamp, toHex(enclave.sign(message))]);
    },
    disable: async () => byOperator("disableTEE"),
    enable: async () => byOperator("enableTEE"),
    retire: async () => byOperator("retireTEE"),
    ban: async () => call("banTEE", [anyId()]),
    liftBan: async () => call("liftBan", [anyId()]),
    denyOperator: () => call("denyOperator", [random.pick(operators)]),
    allowOperator: () => call("allowOperator", [random.pick(operators)]),
    approveImage: async () => {
      const image = random.pick(IMAGES);
      const key = [random.pick(TYPES), random.below(2)] as const;
      const { lastRevocation } = await tee.registry.read.imageState([pcrHashOf(image), ...key]);
      await call("approveImage", [
        ...([pcrHashOf(image), `v${random.below(9)}`, ...key, lastRevocation] as const),
        ...([keccak256("0x01"), "https://code.example/enclave"] as const),
      ]);
    },
    revokeImage: () =>
      call("revokeImage", [
        ...([pcrHashOf(random.pick(IMAGES)), random.pick(TYPES), random.below(2)] as const),
      ]),
    setHeartbeatMaxAge: () => call("setHeartbeatMaxAge", [BigInt(60 + random.below(6000))]),
    setAttestationMaxAge: () =>
      call("setAttestationMaxAge", [HOUR + BigInt(random.below(2 * 24 * 3600))]),
    pauseAdmission: async () => call("pauseAdmission", [(await now()) + 5n]),
    setVerifier: async () => {
      const verifier = await tee.deployVerifier();
      await call("setVerifier", [random.below(2), verifier]);
    },
    revokeCertificate: () =>
      tee.revoke("revokeCertificate", random.pick(random.pick(nodes).certificates).id),
    revokeCertificateKey: () =>
      tee.revoke("revokeKey", random.pick(random.pick(nodes).certificates).id),
    revokeUnseenCertificate: () =>
      tee.revokeUnseen(Uint8Array.of(0x30, 0), BigInt(random.below(1_000_000))),
    certifySessionKey: async () => {
      const node = random.pick(nodes);
      const teeId = teeIdOf(node.enclave);
      const key = privateKeyToAddress(generatePrivateKey());
      const until = (await now()) + BigInt(60 + random.below(6000));
      const counter = node.counter + 1n + BigInt(random.below(3));
      const signsResults = counter % 2n === 0n;
      const digest = hashTypedData({
        domain,
        types: {
          SessionKey: [
            { name: "teeId", type: "bytes32" },
            { name: "key", type: "address" },
            { name: "signsResults", type: "bool" },
            { name: "until", type: "uint64" },
            { name: "counter", type: "uint64" },
          ],
        },
        primaryType: "SessionKey",
        message: { teeId, key, signsResults, until, counter },
      });
      const signature = toHex(node.enclave.sign(digest));
      await call("certifySessionKey", [teeId, key, signsResults, until, counter, signature]);
      node.counter = counter;
      node.sessionKeys.push(key);
    },
    endSessionKey: async () => {
      const { enclave, operator, sessionKeys } = random.pick(nodes);
      await call("endSessionKey", [teeIdOf(enclave), random.pick(sessionKeys)], operator);
    },
    setOhttpConfig: () =>
      setOhttpConfig(random.pick(nodes), toHex(random.below(1000), { size: 2 })),
  };

  async function setOhttpConfig(node: TeeNode, keyConfig: Hex): Promise<void> {
    const teeId = teeIdOf(node.enclave);
    const config = {
      ...{ keyId: random.below(256), kemId: 0x20, kdfId: 1, aeadId: 3 },
      ...{ publicKey: toHex(random.below(1000), { size: 32 }), keyConfig },
    };
    const deadline = (await now()) + HOUR;
    const counter = node.counter + 1n;
    const digest = hashTypedData({
      domain,
      types: {
        OhttpKey: [
          { name: "teeId", type: "bytes32" },
          { name: "keyId", type: "uint8" },
          { name: "kemId", type: "uint16" },
          { name: "kdfId", type: "uint16" },
          { name: "aeadId", type: "uint16" },
          { name: "publicKey", type: "bytes" },
          { name: "keyConfig", type: "bytes" },
          { name: "deadline", type: "uint64" },
          { name: "counter", type: "uint64" },
        ],
      },
      primaryType: "OhttpKey",
      message: { teeId, ...config, deadline, counter },
    });
    const signature = toHex(node.enclave.sign(digest));
    const stored = { ...config, registeredAt: 0n };
    await call("setOhttpConfig", [teeId, stored, deadline, counter, signature]);
    node.counter = counter;
  }

  return { operations, nodes, setOhttpConfig };
}
export type TeeOperations = ReturnType<typeof teeOperations>;
