import { nitro } from "@haca/attestation/nitro/nitro";
import { abis } from "@haca/protocol/abi";
import type { AddressBook } from "@haca/protocol/addressBook";
import type { ContractName } from "@haca/protocol/contracts";
import { Interface, id, keccak256, sha256 } from "ethers";
import { compiledContract } from "../compiled/compiledContract.ts";
import type { Audit } from "./audit.ts";
import { ask } from "./discover.ts";
import { genesisOf } from "./expectations.ts";
import { type Finding, finding, unexpected } from "./finding.ts";
import type { Holders } from "./holders.ts";

const MODEL_REGISTRY = new Interface(abis.ModelRegistry);

/** What an address book says, against the chain: addresses, creations, code, parameters, grants and models. */
export async function checkBook(audit: Audit, holders: Holders, book: AddressBook): Promise<void> {
  const { findings, reader } = audit;
  const compare = (subject: string, expected: unknown, actual: unknown): void => {
    findings.push(bookFinding(subject, expected, actual));
  };
  compare("chain id", book.chainId, reader.chainId);
  await checkContracts(audit, book);
  const settlement = audit.contracts.get("InferenceSettlement") ?? "";
  compare(
    "InferenceSettlement.settlementWindow",
    book.parameters.settlementWindow,
    audit.constructed.get(settlement)?.[2],
  );
  checkAttestation(audit, book);
  checkGovernance(audit, holders, book);
  for (const model of book.models) await checkModel(audit, model);
}

/**
 * A version's hashes. A book that names no manifest says nothing of one: the version may have files of another kind. So with
 * the making of its key.
 */
export async function checkModel(
  audit: Audit,
  model: AddressBook["models"][number],
): Promise<void> {
  const { findings, reader, contracts } = audit;
  const { versionId } = model;
  const askOf = (view: string): Promise<unknown> =>
    ask(
      reader,
      contracts.get("ModelRegistry"),
      MODEL_REGISTRY.getFunction(view)?.format("full") ?? "",
      versionId,
    );
  const key = await askOf("getVerifyingKey");
  const version = (await askOf("getVersion")) as Record<string, unknown> | undefined;
  const { verifyingKeyHash, modelHash, circuitHash, manifestHash } = model;
  const { csHash, transcriptHash } = model;
  for (const [what, expected, actual] of [
    ["verifying key", verifyingKeyHash, typeof key === "string" ? keccak256(key) : undefined],
    ["model hash", modelHash, version?.modelHash],
    ["circuit hash", circuitHash, version?.circuitHash],
    ["manifest hash", manifestHash, version?.blobId],
    ["csHash", csHash, version?.csHash],
    ["transcript hash", transcriptHash, version?.transcriptHash],
  ]) {
    if (expected === undefined) continue;
    const subject = `${what} of ${model.slug} ${model.major}.${model.minor}`;
    findings.push(bookFinding(subject, expected, actual ?? "none"));
  }
}

const bookFinding = (subject: string, expected: unknown, actual: unknown): Finding => {
  const found = finding(subject, `book ${expected}`, `book ${actual}`);
  return { ...found, actual: `chain ${actual}` };
};

async function checkContracts(audit: Audit, book: AddressBook): Promise<void> {
  const { findings, contracts, reader, verifiers, timelocks, creations } = audit;
  for (const [name, entry] of Object.entries(book.contracts)) {
    if (entry === undefined) continue;
    const isSame = (address: string | undefined): boolean =>
      address?.toLowerCase() === entry.address.toLowerCase();
    const current = [
      contracts.get(name as ContractName),
      // A rotation of the root brings a new pair, and the book may name it.
      ...verifiers.flatMap(({ address, store, vendor }) =>
        name === vendor.certificateStore ? store : name === vendor.verifier ? address : [],
      ),
      // So does a replaced timelock.
      ...(name === "TimelockController" ? timelocks : []),
    ].find(isSame);
    if (current === undefined) {
      const actual = contracts.get(name as ContractName) ?? "nothing that can be found";
      findings.push(unexpected(`address of ${name}`, `book ${entry.address}`, `chain ${actual}`));
      continue;
    }
    if (entry.storage !== undefined) {
      const { storage } = await compiledContract(name as ContractName);
      // By their hashes: places are many.
      const [written, compiled] = [entry.storage, storage].map((places) =>
        id(JSON.stringify(places ?? null)),
      );
      findings.push(bookFinding(`storage of ${name}`, written, compiled));
    }
    const creation = creations.get(current);
    const code = await reader.code(current);
    findings.push(
      bookFinding(`code hash of ${name}`, entry.codeHash, keccak256(code)),
      ...(creation === undefined
        ? []
        : [
            bookFinding(`block of ${name}`, entry.block, creation.block),
            bookFinding(`transaction of ${name}`, entry.transaction, creation.hash),
          ]),
    );
  }
}

function checkAttestation(audit: Audit, book: AddressBook): void {
  const { attestation } = book.parameters;
  const registry = audit.contracts.get("TEERegistry");
  if (attestation === undefined || registry === undefined) return;
  const [, , , heartbeatMaxAge, attestationMaxAge] = audit.constructed.get(registry) ?? [];
  const roots = audit.verifiers.flatMap(({ store }) => {
    const root = store === undefined ? undefined : audit.constructed.get(store)?.[2];
    return root === undefined ? [] : [sha256(String(root))];
  });
  const root = roots.find((one) => one === attestation.rootFingerprint.toLowerCase()) ?? roots[0];
  audit.findings.push(
    bookFinding("TEERegistry.heartbeatMaxAge", attestation.heartbeatMaxAge, heartbeatMaxAge),
    bookFinding("TEERegistry.attestationMaxAge", attestation.attestationMaxAge, attestationMaxAge),
    bookFinding("CertificateStore.rootFingerprint", attestation.rootFingerprint, root),
    bookFinding("root is AWS's", !attestation.isDevelopmentRoot, root === nitro.root.fingerprint),
  );
}

function checkGovernance(audit: Audit, holders: Holders, book: AddressBook): void {
  const { governance } = book.parameters;
  const genesis = genesisOf(audit)?.parameters;
  if (governance === undefined) return;
  const settings = (audit.constructed.get(holders.governor ?? "")?.[2] ?? []) as unknown[];
  const timelockDelay = audit.constructed.get(holders.timelock ?? "")?.[0];
  for (const [subject, expected, actual] of [
    ["token generation event", governance.tge, genesis?.tge],
    ["airdrop root", governance.airdropRoot, genesis?.airdropRoot],
    ["airdrop deadline", governance.airdropDeadline, genesis?.airdropDeadline],
    ["deployer", governance.deployer, holders.deployer],
    ["guardian", governance.guardian, holders.guardian],
    ["image approver", governance.imageApprover, holders.imageApprover],
    ["foundation", governance.foundation, genesis?.foundation],
    ["liquidity", governance.liquidity, genesis?.liquidity],
    ["timelock delay", governance.timelockDelay, timelockDelay],
    ["HacaGovernor.votingDelay", governance.votingDelay, settings[0]],
    ["HacaGovernor.votingPeriod", governance.votingPeriod, settings[1]],
    ["HacaGovernor.proposalThreshold", governance.proposalThreshold, settings[2]],
    ["HacaGovernor.quorumNumerator", governance.quorumPercent, settings[3]],
    ["HacaGovernor.lateQuorumVoteExtension", governance.lateQuorumExtension, settings[4]],
  ] as const) {
    audit.findings.push(bookFinding(subject, expected, actual));
  }
  const created = audit.history.of(audit.contracts.get("VestingFactory"), "GrantCreated");
  for (const { allocation, vault, beneficiary, total } of book.grants ?? []) {
    const grant = created.find(({ args }) => args.vault.toLowerCase() === vault.toLowerCase());
    audit.findings.push(
      bookFinding(
        `${allocation}: vault ${vault}`,
        `${beneficiary} ${total}`,
        grant === undefined ? "none" : `${grant.args.beneficiary} ${grant.args.terms.total}`,
      ),
    );
  }
}
