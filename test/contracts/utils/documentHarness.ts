import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { BytesLike } from "ethers";
import { deployMock, type MockFunction } from "./deployMock.ts";

type Read<T> = { value: T; consumed: bigint };
export type CertificateView = {
  tbs: string;
  issuer: string;
  subject: string;
  serial: bigint;
  notBefore: bigint;
  notAfter: bigint;
  publicKey: string;
  isAuthority: boolean;
  pathLength: bigint;
  keyUsage: bigint;
  signature: string;
};
export type DocumentView = {
  signedMessage: string;
  signature: string;
  timestamp: bigint;
  pcrs: string;
  certificates: readonly string[];
  publicKey: string;
  userData: string;
  nonce: string;
};

/** The parsers of documents and certificates behind a contract of the tests. */
export async function deployDocumentHarness(ethers: HardhatEthers) {
  const contract = await deployMock(ethers, "DocumentHarness");
  const call =
    <T>(name: MockFunction<"DocumentHarness">) =>
    (data: BytesLike, ...rest: readonly number[]): Promise<T> =>
      contract.getFunction(name)(data, ...rest);
  return {
    contract,
    readUnsigned: call<Read<bigint>>("readUnsigned"),
    readBytes: call<Read<string>>("readBytes"),
    readText: call<Read<string>>("readText"),
    readBytesOrNull: call<Read<string>>("readBytesOrNull"),
    countEntries: call<{ count: bigint; consumed: bigint }>("countEntries"),
    readArray: call<bigint>("readArray"),
    skip: call<bigint>("skip"),
    readDer: call<{ content: string; consumed: bigint }>("readDer"),
    readDerUnsigned: call<bigint>("readDerUnsigned"),
    toRawSignature: call<string>("toRawSignature"),
    parseCertificate: call<CertificateView>("parseCertificate"),
    parseDocument: call<DocumentView>("parseDocument"),
  };
}
