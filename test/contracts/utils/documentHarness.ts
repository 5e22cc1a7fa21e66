import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { BaseContract, BaseContractMethod } from "ethers";

// biome-ignore lint/suspicious/noExplicitAny: the harness has no generated types; its tests compare each result
type Method = BaseContractMethod<any[], any, any>;

/** The parsers of documents and certificates behind a contract of the tests. */
export type DocumentHarness = BaseContract &
  Record<
    | "readUnsigned"
    | "readBytes"
    | "readText"
    | "readBytesOrNull"
    | "countEntries"
    | "readArray"
    | "skip"
    | "readDer"
    | "readDerUnsigned"
    | "toRawSignature"
    | "parseCertificate"
    | "parseDocument",
    Method
  >;

export async function deployDocumentHarness(ethers: HardhatEthers): Promise<DocumentHarness> {
  return (await ethers.deployContract("DocumentHarness")) as unknown as DocumentHarness;
}
