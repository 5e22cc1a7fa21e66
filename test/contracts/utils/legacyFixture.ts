import { constants, createPublicKey, verify } from "node:crypto";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  hashLegacyLeaf,
  type LegacyLeaf,
  type LegacyMessage,
  legacyMessageHash,
} from "@haca/protocol/legacySettlement";
import { buildMerkleTree, merkleProof, merkleRoot } from "@haca/protocol/merkleTree";
import { getBytes, hexlify, id, toBeHex, toBigInt, toUtf8Bytes } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { admit, deployRegistry, now } from "./attestationFixture.ts";

/** A blob id as the public network's tools send it: the bytes of its text. */
export const blobIdOf = (text: string): string => hexlify(toUtf8Bytes(text));
export const BLOB_ID = blobIdOf("M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk");

/** The registry with two RSA nodes, and one of each other kind. */
export async function deployLegacy(connection: NetworkConnection) {
  const fixture = await deployRegistry(connection);
  const { enclave: rsa } = await admit(fixture, { kind: "rsa" });
  const { enclave: otherRsa } = await admit(fixture, { kind: "rsa" });
  const { enclave: p256 } = await admit(fixture, { kind: "p256" });
  const { enclave: secp256k1 } = await admit(fixture, { kind: "secp256k1" });
  /** from when on all of them are in service */
  const since = await now(fixture);
  return { ...fixture, rsa, otherRsa, p256, secp256k1, since };
}
export type LegacyFixture = Awaited<ReturnType<typeof deployLegacy>>;

/** An answer that an enclave signed, named by a text. */
export function signLeaf(enclave: SimulatedEnclave, name: string, timestamp: bigint): LegacyLeaf {
  const message = { inputHash: id(`${name} in`), outputHash: id(`${name} out`), timestamp };
  return signMessage(enclave, message);
}

export function signMessage(enclave: SimulatedEnclave, message: LegacyMessage): LegacyLeaf {
  const teeSignature = hexlify(enclave.sign(legacyMessageHash(message)));
  return { ...message, teeId: enclave.teeId, teeSignature };
}

/** Arguments of the functions that take an answer field by field. */
export const fieldsOf = ({
  teeId,
  inputHash,
  outputHash,
  timestamp,
  teeSignature,
}: LegacyLeaf): [string, string, string, bigint, string] => [
  ...([teeId, inputHash, outputHash, timestamp, teeSignature] as const),
];

/** A batch over some answers: its root, and each one's proof. */
export function makeBatch(leaves: readonly LegacyLeaf[]) {
  const tree = buildMerkleTree(leaves.map(hashLegacyLeaf));
  const proofOf = (index: number): string[] => merkleProof({ tree, index });
  return { tree, root: merkleRoot(tree), size: BigInt(leaves.length), proofOf };
}

/** Whether OpenSSL calls it a signature of this enclave, as the public network's clients do. */
export function isSignedPerOpenssl(enclave: SimulatedEnclave, leaf: LegacyLeaf): boolean {
  const key = createPublicKey({
    ...{ key: Buffer.from(enclave.signingKey), format: "der", type: "spki" },
  });
  return verify(
    "sha256",
    getBytes(legacyMessageHash(leaf)),
    { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    getBytes(leaf.teeSignature),
  );
}

/** Modulus of an RSA enclave's key. */
export function modulusOf(enclave: SimulatedEnclave): bigint {
  const key = createPublicKey({
    ...{ key: Buffer.from(enclave.signingKey), format: "der", type: "spki" },
  });
  const { n = "" } = key.export({ format: "jwk" });
  return toBigInt(Buffer.from(n, "base64url"));
}

/** The same answer with signatures until one has another form of the same number, s + n, in as many bytes. */
export function malleate(enclave: SimulatedEnclave, leaf: LegacyLeaf): LegacyLeaf {
  const modulus = modulusOf(enclave);
  for (;;) {
    const { teeSignature } = signMessage(enclave, leaf);
    const length = getBytes(teeSignature).length;
    const other = toBigInt(teeSignature) + modulus;
    if (other < 1n << BigInt(8 * length)) return { ...leaf, teeSignature: toBeHex(other, length) };
  }
}
