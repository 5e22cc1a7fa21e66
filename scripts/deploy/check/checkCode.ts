import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import type { ContractName } from "@haca/protocol/contracts";
import { AbiCoder, concat, getCreateAddress } from "ethers";
import { type CompiledContract, compiledContract } from "../compiled/compiledContract.ts";
import { firstDifference, matchCode } from "../compiled/matchCode.ts";
import type { Audit } from "./audit.ts";
import {
  expectedArguments,
  expectedBirths,
  expectedImmutables,
  FREE,
  wordToText,
} from "./expectations.ts";
import { finding, notice, unexpected } from "./finding.ts";

/** In front of stored data, so that it cannot be run. */
const STOP = "0x00";

/**
 * Every contract is what this repository's sources give: the code that runs, the code that created it (which could
 * have written anything into its storage), the arguments of its constructor, and each immutable.
 */
export async function checkCode(audit: Audit): Promise<void> {
  for (const [address, name] of audit.instances) await checkCreation(audit, name, address);
  for (const [address, name] of audit.instances) await checkRuntime(audit, name, address);

  for (const [child, parent, nonce] of expectedBirths(audit)) {
    const from = audit.contracts.get(parent);
    if (from === undefined) continue;
    const expected = getCreateAddress({ from, nonce });
    audit.findings.push(
      finding(`${child} was made by ${parent}`, expected, audit.contracts.get(child)),
    );
  }
  const ecdsa = audit.contracts.get("EcdsaP384");
  if (ecdsa === undefined) return;
  const table = await audit.reader.code(getCreateAddress({ from: ecdsa, nonce: 1 }));
  const isTable = table.toLowerCase() === concat([STOP, p384BaseTable()]).toLowerCase();
  audit.findings.push(finding("table of base points of EcdsaP384", true, isTable));
}

/** Reads the arguments of every constructor that is this repository's. */
export async function readConstructed(audit: Audit): Promise<void> {
  for (const [address, name] of audit.instances) {
    const contract = await compiledContract(name);
    const input = audit.creations.get(address)?.input;
    if (input === undefined || !isCreationOf(contract, input)) continue;
    audit.constructed.set(address, decodeArguments(contract, input));
  }
}

const isCreationOf = ({ creationCode }: CompiledContract, input: string): boolean =>
  input.toLowerCase().startsWith(creationCode.toLowerCase());

/** Whether governance brought a contract in: then code from elsewhere is its decision, and shown as such. */
const decidedBy = (audit: Audit, address: string): string | undefined => {
  const change = audit.history
    .of(audit.contracts.get("TEERegistry"), "VerifierChanged", "BondsChanged")
    .find(({ args }) => args.current === address);
  const replaced = audit.history
    .of(audit.contracts.get("HacaGovernor"), "TimelockChange")
    .find(({ args }) => args.newTimelock === address);
  if (replaced !== undefined) return audit.history.decisionOf(replaced);
  const verifier = audit.verifiers.find(({ store }) => store === address);
  if (change === undefined && verifier !== undefined) return decidedBy(audit, verifier.address);
  return change && audit.history.decisionOf(change);
};

function report(audit: Audit, address: string, subject: string, expected: string, actual: string) {
  const decision = decidedBy(audit, address);
  audit.findings.push(
    decision === undefined
      ? unexpected(subject, expected, actual)
      : notice(subject, `${actual}; brought in ${decision}`),
  );
}

async function checkRuntime(audit: Audit, name: ContractName, address: string): Promise<void> {
  const { findings, reader } = audit;
  const contract = await compiledContract(name);
  const code = await reader.code(address);
  const subject = `code of ${name} ${address}`;
  if (code === "0x") {
    findings.push(unexpected(subject, "a contract", "there is none"));
    return;
  }
  const immutables = matchCode(code, contract);
  if (immutables === undefined) {
    report(
      ...([audit, address, subject, "what this repository's sources give"] as const),
      `other code: ${firstDifference(code, contract)}`,
    );
    return;
  }
  findings.push(finding(subject, "this repository's", "this repository's"));
  const expected = expectedImmutables(audit, name, address);
  for (const [immutable, value] of immutables) {
    const right = expected[immutable];
    findings.push(
      right === undefined
        ? unexpected(`${name}.${immutable}`, "an immutable that the check knows", wordToText(value))
        : finding(
            `${name} ${address}, immutable ${immutable}`,
            wordToText(right),
            wordToText(value),
          ),
    );
  }
}

async function checkCreation(audit: Audit, name: ContractName, address: string): Promise<void> {
  const contract = await compiledContract(name);
  const expected = expectedArguments(audit, name, address);
  if (expected === undefined) return; // made by a contract whose own creation is looked at
  const subject = `creation of ${name} ${address}`;
  const creation = audit.creations.get(address);
  if (creation === undefined) {
    report(
      ...([
        audit,
        address,
        subject,
        "a transaction of its own since the deployment began",
      ] as const),
      "none was found: what happened to it before is unknown",
    );
    return;
  }
  if (!isCreationOf(contract, creation.input)) {
    report(
      ...([audit, address, subject, "by what this repository's sources give"] as const),
      `transaction ${creation.hash} created it with other code, which may have written anything into its storage`,
    );
    return;
  }
  const actual = audit.constructed.get(address) ?? [];
  audit.findings.push(finding(subject, "this repository's", "this repository's"));
  for (const [index, value] of expected.entries()) {
    const parameter = contract.abi.deploy.inputs[index]?.name || String(index);
    if (value === FREE) continue;
    audit.findings.push(
      finding(
        `${name} ${address}, constructor argument ${parameter}`,
        textOf(value),
        textOf(actual[index]),
      ),
    );
  }
}

function decodeArguments(contract: CompiledContract, input: string): readonly unknown[] {
  const { abi, creationCode } = contract;
  const data = `0x${input.slice(creationCode.length)}`;
  try {
    return [...AbiCoder.defaultAbiCoder().decode(abi.deploy.inputs, data)];
  } catch {
    return [];
  }
}

const LONGEST = 200;
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  const text = String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
}
