import type { AddressBook } from "@haca/protocol/addressBook";
import { type Contract, keccak256, type Provider } from "ethers";
import { type Finding, finding } from "./finding.ts";

type GetContract = (name: string, address: string) => Promise<Contract>;

/** Code of every contract, wiring and parameters of the core, and the models. */
export async function checkCore(parameters: {
  book: AddressBook;
  provider: Provider;
  getContract: GetContract;
}): Promise<Finding[]> {
  const { book, provider, getContract } = parameters;
  const findings: Finding[] = [
    finding("chain id", book.chainId, (await provider.getNetwork()).chainId),
  ];
  for (const [name, entry] of Object.entries(book.contracts)) {
    if (entry === undefined) continue;
    const code = await provider.getCode(entry.address);
    findings.push(
      finding(`code of ${name}`, entry.codeHash, code === "0x" ? "nothing" : keccak256(code)),
    );
  }
  if (findings.some(({ actual }) => actual === "nothing")) return findings;

  const { AccessManager, ModelRegistry, InferenceSettlement } = book.contracts;
  const settlement = await getContract("InferenceSettlement", InferenceSettlement.address);
  const registry = await getContract("ModelRegistry", ModelRegistry.address);
  for (const [view, expected] of [
    ["authority", AccessManager.address],
    ["modelRegistry", ModelRegistry.address],
    ["settlementWindow", book.parameters.settlementWindow],
  ] as const) {
    findings.push(
      finding(`InferenceSettlement.${view}`, expected, await settlement.getFunction(view)()),
    );
  }
  for (const model of book.models) {
    const subject = `verifying key of ${model.slug} ${model.major}.${model.minor}`;
    const key = await registry.getFunction("getVerifyingKey")(model.versionId);
    findings.push(finding(subject, model.verifyingKeyHash, keccak256(key)));
  }
  return findings;
}
