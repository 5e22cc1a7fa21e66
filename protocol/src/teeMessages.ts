import { concat, keccak256, type TypedDataDomain, TypedDataEncoder, toBeHex } from "ethers";

/** Longest validity of a session key, in seconds: what the registry allows. */
export const MAXIMUM_SESSION = 30n * 24n * 60n * 60n;

const HEARTBEAT = {
  Heartbeat: [
    { name: "teeId", type: "bytes32" },
    { name: "timestamp", type: "uint256" },
  ],
};

const SESSION_KEY = {
  SessionKey: [
    { name: "teeId", type: "bytes32" },
    { name: "key", type: "address" },
    { name: "signsResults", type: "bool" },
    { name: "until", type: "uint64" },
    { name: "counter", type: "uint64" },
  ],
};

const OHTTP_KEY = {
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
};

/** A node's OHTTP key as the registry keeps it; bytes as hex. */
export type OhttpRecord = {
  keyId: number;
  kemId: number;
  kdfId: number;
  aeadId: number;
  publicKey: string;
  /** key configuration of RFC 9458, section 3 */
  keyConfig: string;
};

/** EIP-712 domain of a TEE registry. */
export function teeRegistryDomain(parameters: {
  chainId: bigint;
  registry: string;
}): TypedDataDomain {
  const { chainId, registry } = parameters;
  return { name: "HACA TEERegistry", version: "1", chainId, verifyingContract: registry };
}

/** What an enclave's own key signs for `TEERegistry.heartbeat`; 32 bytes. It names neither chain nor registry. */
export function heartbeatMessage(parameters: { teeId: string; timestamp: bigint }): string {
  const { teeId, timestamp } = parameters;
  return keccak256(concat([teeId, toBeHex(timestamp, 32)]));
}

/** What a session key signs for `TEERegistry.heartbeatBySession`; 32 bytes. */
export function sessionHeartbeatDigest(parameters: {
  domain: TypedDataDomain;
  teeId: string;
  /** unix seconds */
  timestamp: bigint;
}): string {
  const { domain, ...message } = parameters;
  return TypedDataEncoder.hash(domain, HEARTBEAT, message);
}

/** What an enclave's own key signs for `TEERegistry.certifySessionKey`; 32 bytes. */
export function sessionKeyDigest(parameters: {
  domain: TypedDataDomain;
  teeId: string;
  /** address of the session key */
  key: string;
  /** false for a key that is for heartbeats alone */
  signsResults: boolean;
  /** unix seconds at which its validity ends */
  until: bigint;
  /** above the node's counter in the registry */
  counter: bigint;
}): string {
  const { domain, ...message } = parameters;
  return TypedDataEncoder.hash(domain, SESSION_KEY, message);
}

/** What an enclave's own key signs for `TEERegistry.setOhttpConfig`; 32 bytes. */
export function ohttpKeyDigest(parameters: {
  domain: TypedDataDomain;
  teeId: string;
  record: OhttpRecord;
  /** unix seconds until which the registry takes it */
  deadline: bigint;
  /** above the node's counter in the registry */
  counter: bigint;
}): string {
  const { domain, record, ...message } = parameters;
  return TypedDataEncoder.hash(domain, OHTTP_KEY, { ...message, ...record });
}
