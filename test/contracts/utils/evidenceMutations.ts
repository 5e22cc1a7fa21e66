import { type KeyObject, sign } from "node:crypto";
import { toRawSignature } from "@haca/attestation/x509/parseCertificate";
import { DER_TAG, encodeDer, encodeDerInteger } from "@haca/enclave-simulator/encodeDer";
import { type CertificateFields, makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { type Authority, makeP384Keys } from "@haca/enclave-simulator/simulatedChain";
import type { DocumentOptions } from "@haca/enclave-simulator/simulatedEnclave";
import type { Random } from "./seededRandom.ts";

/** Changes of certificates and documents, each of one kind, for the comparison of the two verdicts. */

const hex = (text: string) => Buffer.from(text, "hex");
const ORDER = BigInt(
  "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);
const ALGORITHM = hex("300a06082a8648ce3d040303");

export type CertificateMutation = {
  fields?: (fields: CertificateFields, time: bigint) => Partial<CertificateFields>;
  /** of the signed part, before it is signed */
  tbs?: (tbs: Buffer, random: Random) => Buffer;
  /** of the signature's DER */
  signature?: (der: Buffer) => Buffer;
  /** of the whole certificate */
  whole?: (der: Buffer, random: Random) => Buffer;
};

/** The first occurrence of `from`, replaced by as many bytes; unchanged without one. */
const replace = (from: string, to: string) => (bytes: Buffer) => {
  const at = bytes.indexOf(hex(from));
  const copy = Buffer.from(bytes);
  if (at >= 0) copy.set(hex(to), at);
  return copy;
};
const extension = (text: string) => ({ extraExtensions: [hex(text)] });
const integers = (der: Buffer) => {
  const raw = Buffer.from(toRawSignature(der));
  const [r, s] = [raw.subarray(0, 48), raw.subarray(48)].map((part) =>
    BigInt(`0x${part.toString("hex")}`),
  );
  return [r ?? 0n, s ?? 0n] as const;
};
const sequence = (...content: Uint8Array[]) => Buffer.from(encodeDer(DER_TAG.sequence, ...content));

export const CERTIFICATE_MUTATIONS: Readonly<Record<string, CertificateMutation>> = {
  none: {},
  pathLengthZero: {
    fields: ({ authority }) => (authority ? { authority: { pathLength: 0 } } : {}),
  },
  pathLengthNone: { fields: ({ authority }) => (authority ? { authority: {} } : {}) },
  pathLength255: {
    fields: ({ authority }) => (authority ? { authority: { pathLength: 255 } } : {}),
  },
  pathLength256: {
    fields: ({ authority }) => (authority ? { authority: { pathLength: 256 } } : {}),
  },
  noAuthority: { fields: () => ({ authority: undefined as never }) },
  authority: { fields: () => ({ authority: { pathLength: 1 } }) },
  notYetValid: { fields: (_, time) => ({ notBefore: time + 1n }) },
  validFromNow: { fields: (_, time) => ({ notBefore: time }) },
  expired: { fields: (_, time) => ({ notAfter: time - 1n }) },
  validToNow: { fields: (_, time) => ({ notAfter: time }) },
  before1970: { fields: () => ({ notBefore: -1n }) },
  after2050: { fields: () => ({ notAfter: 4_000_000_000n }) },
  otherIssuer: { fields: () => ({ issuer: "somebody else" }) },
  otherSubject: { fields: () => ({ subject: "somebody else" }) },
  serialZero: { fields: () => ({ serial: 0n }) },
  serialOf20Bytes: { fields: () => ({ serial: (1n << 160n) - 1n }) },
  serialOf21Bytes: { fields: () => ({ serial: 1n << 160n }) },
  otherKey: { fields: () => ({ publicKey: makeP384Keys().publicKey }) },
  unknownExtension: { fields: () => extension("300b0603551d0e040403020100") },
  unknownCritical: { fields: () => extension("300e0603551d0e0101ff040403020100") },
  criticalFalseWritten: { fields: () => extension("300e0603551d0e010100040403020100") },
  constraintsTwice: { fields: () => extension("300f0603551d130101ff040530030101ff") },
  usageTwice: { fields: () => extension("300e0603551d0f0101ff040403020204") },
  unknownTwice: {
    fields: () => ({
      extraExtensions: [hex("300b0603551d0e040403020100"), hex("300b0603551d0e040403020100")],
    }),
  },
  extensionTrailing: { fields: () => extension("300d0603551d0e0404030201000500") },
  version1: { tbs: replace("a003020102", "a003020100") },
  version2: { tbs: replace("a003020102", "a003020101") },
  innerAlgorithm: { tbs: replace("2a8648ce3d040303", "2a8648ce3d040302") },
  usageSwapped: {
    tbs: (tbs) => replace("03020204", "03020780")(replace("03020780", "03020204")(tbs)),
  },
  usageNone: {
    tbs: (tbs) => replace("03020204", "03020640")(replace("03020780", "03020640")(tbs)),
  },
  usageUnsound: {
    tbs: (tbs) => replace("03020204", "03020104")(replace("03020780", "03020680")(tbs)),
  },
  usageNotCritical: { tbs: replace("0603551d0f0101ff", "0603551d0f0101fe") },
  constraintsRenamed: { tbs: replace("0603551d13", "0603551d12") },
  trueAsOne: { tbs: replace("30030101ff", "3003010101") },
  nameType: { tbs: replace("0603550403" + "0c", "0603550403" + "13") },
  timeType: { tbs: replace("170d33", "180d33") },
  month13: { tbs: replace(hexOf("300317"), hexOf("301317")) },
  february30: { tbs: replace(hexOf("300317"), hexOf("300230")) },
  compressedPoint: { tbs: replace("03620004", "03620002") },
  pointOffTheCurve: {
    tbs(tbs) {
      const copy = Buffer.from(tbs);
      const at = tbs.indexOf(hex("03620004")) + 4;
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    },
  },
  pointAboveTheField: {
    tbs(tbs) {
      const copy = Buffer.from(tbs);
      return copy.fill(0xff, tbs.indexOf(hex("03620004")) + 4, tbs.indexOf(hex("03620004")) + 52);
    },
  },
  anyTbsByte: { tbs: flipAny },
  anyByte: { whole: flipAny },
  trailing: { whole: (der) => Buffer.concat([der, Buffer.of(0)]) },
  cut: { whole: (der, random) => der.subarray(0, random.below(der.length)) },
  outerAlgorithm: {
    whole(der) {
      const copy = Buffer.from(der);
      copy[der.lastIndexOf(ALGORITHM) + 11] = 2;
      return copy;
    },
  },
  signatureUnusedBits: {
    whole(der) {
      const copy = Buffer.from(der);
      copy[der.lastIndexOf(ALGORITHM) + 14] = 1;
      return copy;
    },
  },
  signatureHighS: {
    signature(der) {
      const [r, s] = integers(der);
      return sequence(encodeDerInteger(r), encodeDerInteger(ORDER - s));
    },
  },
  signatureRPlusN: {
    signature(der) {
      const [r, s] = integers(der);
      return sequence(encodeDerInteger(r + ORDER), encodeDerInteger(s));
    },
  },
  signatureZero: { signature: () => sequence(encodeDerInteger(0n), encodeDerInteger(0n)) },
  signatureNotShortest: {
    signature(der) {
      const [r, s] = integers(der);
      const long = Buffer.concat([Buffer.of(0, 0), hex(r.toString(16).padStart(96, "0"))]);
      return sequence(encodeDer(DER_TAG.integer, long), encodeDerInteger(s));
    },
  },
  signatureNegative: {
    signature: () => sequence(hex("020181"), hex("020101")),
  },
  signatureThreeNumbers: {
    signature(der) {
      const [r, s] = integers(der);
      return sequence(encodeDerInteger(r), encodeDerInteger(s), encodeDerInteger(1n));
    },
  },
  signatureTrailing: { signature: (der) => Buffer.concat([der, Buffer.of(0)]) },
};

const pcr = (length: number, byte = 7) => new Uint8Array(length).fill(byte);
const pcrs = (...entries: [bigint, Uint8Array][]) => ({ pcrs: { entries } });
const MEASURED: [bigint, Uint8Array][] = [0n, 1n, 2n].map((index) => [index, pcr(48)]);
const raw = (text: string) => (payload: Uint8Array) =>
  // The payload is an indefinite map: entries go before its break.
  Buffer.concat([payload.subarray(0, -1), hex(text), Buffer.of(0xff)]);

export type DocumentMutation = Partial<DocumentOptions> & {
  /** of the payload's bytes before they are signed, with chance in it */
  payload?: (payload: Uint8Array, random: Random) => Uint8Array;
  /** of the whole document, after it was signed */
  whole?: (document: Buffer, random: Random) => Buffer;
};

export const DOCUMENT_MUTATIONS = (time: bigint): Readonly<Record<string, DocumentMutation>> => ({
  none: {},
  definite: { isIndefinite: false },
  age300: { overrides: { timestamp: (time - 300n) * 1000n } },
  age301: { overrides: { timestamp: (time - 300n) * 1000n - 1n } },
  ahead60: { overrides: { timestamp: (time + 61n) * 1000n - 1n } },
  ahead61: { overrides: { timestamp: (time + 61n) * 1000n } },
  timeOf64Bits: { overrides: { timestamp: (1n << 64n) - 1n } },
  timeAsText: { overrides: { timestamp: "now" } },
  debugMode: { overrides: pcrs([0n, pcr(48, 0)], ...MEASURED.slice(1)) },
  debugModePcr2: { overrides: pcrs(...MEASURED.slice(0, 2), [2n, pcr(48, 0)]) },
  pcrOf47Bytes: { overrides: pcrs(...MEASURED.slice(0, 2), [2n, pcr(47)]) },
  pcrOf64Bytes: { overrides: pcrs(...MEASURED, [3n, pcr(64)]) },
  pcrMissing: { overrides: pcrs(...MEASURED.slice(1)) },
  pcrTwice: { overrides: pcrs(...MEASURED, [1n, pcr(48)]) },
  pcr31: { overrides: pcrs(...MEASURED, [31n, pcr(48)]) },
  pcr32: { overrides: pcrs(...MEASURED, [32n, pcr(48)]) },
  digest256: { overrides: { digest: "SHA256" } },
  digestWithMark: { overrides: { digest: "\ufeffSHA384" } },
  moduleIdMissing: { overrides: { module_id: undefined as never } },
  moduleIdNull: { overrides: { module_id: null } },
  nonceOf1024: { nonce: pcr(1024) },
  nonceOf1025: { nonce: pcr(1025) },
  nonceAsText: { overrides: { nonce: "nonce" } },
  keyTwice: { extraEntries: [["nonce", pcr(20)]] },
  keyWithMark: { extraEntries: [["\ufeffnonce", pcr(20)]] },
  unknownKeys8: { extraEntries: Array.from({ length: 8 }, (_, i) => [`key${i}`, 1n] as const) },
  unknownKeys9: { extraEntries: Array.from({ length: 9 }, (_, i) => [`key${i}`, 1n] as const) },
  unknownKeyTwice: {
    extraEntries: [
      ["key", 1n],
      ["key", 2n],
    ],
  },
  unknownNotUtf8: { changePayload: raw("61ff01" + "61fe01") },
  unknownTagged: { changePayload: raw("6161c11a00000000") },
  unknownNegative: { changePayload: raw("616120") },
  unknownFalse: { changePayload: raw("6161f4") },
  unknownFloat: { changePayload: raw("6161f93c00") },
  unknownLongSimple: { changePayload: raw("6161f820") },
  unknownSimpleNotShort: { changePayload: raw("6161f81f") },
  unknownMapKeysOfBytes: { changePayload: raw("6161a14100f6") },
  unknownMapKeyTwice: { changePayload: raw("6161a201010101") },
  unknownNested7: { changePayload: raw(`6161${"81".repeat(7)}00`) },
  unknownNested8: { changePayload: raw(`6161${"81".repeat(8)}00`) },
  unknownIndefiniteList: { changePayload: raw("61619f00ff") },
  keyOfBytes: { changePayload: raw("416101") },
  payloadTrailing: { changePayload: (payload) => Buffer.concat([payload, Buffer.of(0)]) },
  anyPayloadByte: { payload: (payload, random) => flipAny(Buffer.from(payload), random) },
  anyByte: { whole: flipAny },
  cut: { whole: (document, random) => document.subarray(0, random.below(document.length)) },
  trailing: { whole: (document) => Buffer.concat([document, Buffer.of(0)]) },
  tag: { whole: (document) => Buffer.concat([Buffer.of(0xd2), document]) },
  tagTwice: { whole: (document) => Buffer.concat([Buffer.of(0xd2, 0xd2), document]) },
  alg: { whole: (document) => replace("44a1013822a0", "44a1013823a0")(document) },
  signatureHighS: {
    whole(document) {
      const copy = Buffer.from(document);
      const s = BigInt(`0x${copy.subarray(-48).toString("hex")}`);
      copy.set(hex((ORDER - s).toString(16).padStart(96, "0")), copy.length - 48);
      return copy;
    },
  },
});

/** A hierarchy of five, root first, with one certificate changed. */
export function makeMutatedChain(parameters: {
  root: Authority;
  time: bigint;
  level: number;
  mutation: CertificateMutation;
  random: Random;
}): { cabundle: Uint8Array[]; leaf: { certificate: Uint8Array; privateKey: KeyObject } } {
  const { root, time, level, mutation, random } = parameters;
  const chain: Authority[] = [root];
  for (const [i, pathLength] of [2, 1, 0, undefined].entries()) {
    const parent = chain.at(-1) ?? root;
    const keys = makeP384Keys();
    const fields: CertificateFields = {
      ...{ issuer: parent.name, subject: `level ${i + 1}`, serial: BigInt(100 + i) },
      ...{ notBefore: time - 10n, notAfter: time + 3600n, publicKey: keys.publicKey },
      ...(pathLength === undefined ? {} : { authority: { pathLength } }),
    };
    const certificate = certify({
      ...{ fields, parent, time, random },
      mutation: i + 1 === level ? mutation : {},
    });
    chain.push({ name: fields.subject, certificate, keys });
  }
  const [leaf] = chain.slice(-1);
  return {
    cabundle: chain.slice(0, -1).map(({ certificate }) => certificate),
    leaf: {
      certificate: leaf?.certificate ?? new Uint8Array(),
      privateKey: leaf?.keys.privateKey as KeyObject,
    },
  };
}

function certify(parameters: {
  fields: CertificateFields;
  parent: Authority;
  time: bigint;
  mutation: CertificateMutation;
  random: Random;
}): Uint8Array {
  const { fields, parent, time, mutation, random } = parameters;
  const changed = { ...fields, ...mutation.fields?.(fields, time) };
  const issuerKey = parent.keys.privateKey;
  const made = Buffer.from(makeCertificate({ fields: changed, issuerKey }));
  const plain = made.subarray(4, made.lastIndexOf(ALGORITHM));
  const tbs = mutation.tbs?.(plain, random) ?? plain;
  const signature = sign("sha384", tbs, issuerKey);
  const bits = mutation.signature?.(signature) ?? signature;
  const certificate = Buffer.from(
    encodeDer(
      DER_TAG.sequence,
      ...[tbs, ALGORITHM, encodeDer(DER_TAG.bitString, Uint8Array.of(0), bits)],
    ),
  );
  return mutation.whole?.(certificate, random) ?? certificate;
}

function flipAny(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const at = random.below(bytes.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}
