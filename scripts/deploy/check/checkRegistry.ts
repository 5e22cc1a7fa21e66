import { TEE_TYPES } from "@haca/protocol/attestationParameters";
import { ATTESTATION_VENDORS, VENDOR_ROWS } from "@haca/protocol/attestationVendors";
import { type Interface, sha256, ZeroAddress } from "ethers";
import { printable } from "../../lib/words.ts";
import { compiledContract } from "../compiled/compiledContract.ts";
import { type Audit, type Fact, judgeFacts } from "./audit.ts";
import { ask } from "./discover.ts";
import { type Change, exclusionOf, isBefore } from "./events.ts";
import { finding, notice, parameter, unexpected } from "./finding.ts";

/** Under which the registry's constructor sets its verifier. */
const FIRST_ID = BigInt(ATTESTATION_VENDORS.nitro.verifierId);
const APPROVAL_VIEW = "isImageApproved";

const fragmentOf = (abi: Interface, view: string): string =>
  abi.getFunction(view)?.format("full") ?? "";

/** Verifiers, roots, node types, images, exclusions, bonds and parameters of the TEE registry. */
export async function checkRegistry(audit: Audit): Promise<void> {
  const registry = audit.contracts.get("TEERegistry");
  if (registry === undefined) return;
  judgeFacts(audit, [
    ...(await verifierFacts(audit, registry)),
    ...(await settingFacts(audit, registry)),
  ]);
  checkRoots(audit);
  await checkTypes(audit, registry);
  await checkImages(audit, registry);
  await checkExclusions(audit, registry);
}

async function verifierFacts(audit: Audit, registry: string): Promise<Fact[]> {
  const { history, reader, names } = audit;
  const changes = history.of(registry, "VerifierChanged");
  const facts: Fact[] = [];
  for (const id of new Set([FIRST_ID, ...changes.map(({ args }) => args.verifierId as bigint)])) {
    const [current] = await reader.view(
      registry,
      "function verifier(uint8 id) view returns (address)",
      id,
    );
    const own = changes.filter(({ args }) => args.verifierId === id);
    facts.push({
      subject: `TEERegistry: verifier ${id}`,
      expected: id === FIRST_ID ? names.of(own[0]?.args.current ?? ZeroAddress) : "nobody",
      actual: names.of(current),
      // The first one is the constructor's.
      changes: id === FIRST_ID ? own.slice(1) : own,
    });
    const row = VENDOR_ROWS.find(({ verifierId }) => BigInt(verifierId) === id);
    const contract = audit.instances.get(current);
    if (row === undefined || contract === undefined) continue;
    audit.findings.push(finding(`contract of verifier ${id}`, row.verifier, contract));
  }
  return facts;
}

/** Values that the constructor set, or left at zero, and what changed them. */
async function settingFacts(audit: Audit, registry: string): Promise<Fact[]> {
  const { history, reader, names, constructed, contracts } = audit;
  const [, , , heartbeatMaxAge, attestationMaxAge] = constructed.get(registry) ?? [];
  const facts: Fact[] = [];
  for (const [view, event, initial] of [
    ["heartbeatMaxAge", "HeartbeatMaxAgeChanged", heartbeatMaxAge],
    ["attestationMaxAge", "AttestationMaxAgeChanged", attestationMaxAge],
  ] as const) {
    const [value] = await reader.view(registry, `function ${view}() view returns (uint64)`);
    const changes = history.of(registry, event);
    facts.push({
      subject: `TEERegistry.${view}`,
      expected: `${initial} s`,
      actual: `${value} s`,
      changes: changes.slice(1),
    });
    audit.findings.push(parameter(`TEERegistry.${view}`, `${initial} s`));
  }
  const [bonds] = await reader.view(registry, "function bonds() view returns (address)");
  facts.push({
    subject: "TEERegistry.bonds",
    expected: "nobody",
    actual: names.of(bonds),
    changes: history.of(registry, "BondsChanged"),
  });
  const nodeBonds = contracts.get("NodeBonds");
  if (nodeBonds !== undefined) {
    const amount = await ask(reader, nodeBonds, "function amount() view returns (uint96)");
    facts.push({
      subject: "NodeBonds.amount",
      expected: "0",
      actual: String(amount),
      changes: history.of(nodeBonds, "BondAmountChanged"),
    });
    for (const change of history.of(nodeBonds, "BondForfeited")) {
      const { teeId, receiver, amount: forfeited } = change.args;
      judgeAct(audit, change, `bond of node ${teeId}`, `${forfeited} forfeited to ${receiver}`);
    }
  }
  return facts;
}

/** Which root certificate each verifier that was ever trusted stands on. */
function checkRoots(audit: Audit): void {
  const { findings, verifiers, constructed, isDevelopmentChain } = audit;
  for (const { address, store, vendor } of verifiers) {
    const root = store === undefined ? undefined : constructed.get(store)?.[2];
    if (root === undefined) continue; // its code is a finding already
    const fingerprint = sha256(String(root));
    const subject = `root of attestations under ${address}`;
    const { owner, fingerprint: expected } = vendor.root;
    if (fingerprint === expected) {
      findings.push(finding(subject, `${owner}'s`, `${owner}'s`));
    } else if (isDevelopmentChain) {
      findings.push(notice(subject, `${fingerprint}, a development root: it vouches for nothing`));
    } else {
      findings.push(unexpected(subject, `${owner}'s, ${expected}`, fingerprint));
    }
  }
}

/** The types of the deployment stay; others came by governance. */
async function checkTypes(audit: Audit, registry: string): Promise<void> {
  const { history, reader, findings } = audit;
  const { abi } = await compiledContract("TEERegistry");
  const [ids, infos] = await reader.view(registry, fragmentOf(abi, "getTEETypes"));
  const added = history.of(registry, "TEETypeAdded");
  for (const [index, id] of [...ids].entries()) {
    const name: string = infos[index].name;
    const own = TEE_TYPES[index];
    if (own !== undefined) {
      findings.push(finding(`node type ${index}`, `${index} ${own}`, `${id} ${printable(name)}`));
      continue;
    }
    const change = added.find(({ args }) => args.teeType === id);
    if (change !== undefined) judgeAct(audit, change, `node type ${id}`, printable(name));
    else findings.push(unexpected(`node type ${id}`, "none", printable(name)));
  }
  for (const [type, name] of TEE_TYPES.entries()) {
    if (![...ids].includes(BigInt(type))) {
      findings.push(unexpected(`node type ${type}`, name, "missing"));
    }
  }
}

/** Every approval there ever was, by governance or the image approver; the list holds no other image. */
async function checkImages(audit: Audit, registry: string): Promise<void> {
  const { history, reader, findings, contracts } = audit;
  const { abi } = await compiledContract("TEERegistry");
  const approvals = history.of(registry, "ImageApproved");
  const firstTimelock = history.of(contracts.get("TimelockController"))[0];
  for (const change of approvals) {
    const { measurement, teeType, version } = change.args;
    const [isApproved] = await reader.view(
      registry,
      fragmentOf(abi, APPROVAL_VIEW),
      // The event names what the view asks for.
      ...(abi.getFunction(APPROVAL_VIEW)?.inputs ?? []).map(({ name }) => change.args[name]),
    );
    const subject = `image ${measurement} of node type ${teeType}`;
    const words = `version ${printable(version)}, ${isApproved ? "approved" : "revoked"} now`;
    const isOfDevelopment =
      audit.isDevelopmentChain && (firstTimelock === undefined || isBefore(change, firstTimelock));
    if (isOfDevelopment) {
      findings.push(notice(subject, `${words}: approved before governance was there`));
    } else judgeAct(audit, change, subject, words);
  }
  const [count] = await reader.view(registry, "function imageCount() view returns (uint256)");
  const distinct = new Set(
    approvals.map(({ args }) => `${args.measurement} ${args.teeType} ${args.verifierId}`),
  );
  findings.push(
    finding("TEERegistry: images in its list, and approved in an event", distinct.size, count),
  );
}

/** What the guardian removed, and what governance took back. */
async function checkExclusions(audit: Audit, registry: string): Promise<void> {
  const { history, reader, head, findings, verifiers } = audit;
  for (const change of history.of(registry, "OperatorDenied", "OperatorAllowed")) {
    const { operator } = change.args;
    const [isDenied] = await reader.view(
      registry,
      "function isOperatorDenied(address operator) view returns (bool)",
      operator,
    );
    const words = change.event === "OperatorDenied" ? "denied" : "allowed again";
    judgeAct(
      audit,
      change,
      `operator ${operator}`,
      `${words}, ${isDenied ? "denied" : "allowed"} now`,
    );
  }
  for (const change of history.of(registry, "TEEStatusChanged")) {
    const exclusion = exclusionOf(change);
    if (exclusion !== undefined) judgeAct(audit, change, `node ${change.args.teeId}`, exclusion);
  }
  for (const change of history.of(registry, "ImageRevoked")) {
    judgeAct(audit, change, `image ${change.args.measurement}`, "revoked");
  }
  for (const change of history.of(registry, "AdmissionPaused")) {
    judgeAct(audit, change, "TEERegistry: admission of nodes", `paused until ${change.args.until}`);
  }
  const [pausedUntil] = await reader.view(
    registry,
    "function admissionPausedUntil() view returns (uint64)",
  );
  if (pausedUntil > BigInt(head.timestamp)) {
    findings.push(notice("TEERegistry: admission of nodes", `is paused until ${pausedUntil}`));
  }
  for (const { store } of verifiers) {
    for (const change of history.of(store, "CertificateRevoked")) {
      const { revocationKey, serial } = change.args;
      judgeAct(audit, change, `certificate ${revocationKey}`, `serial ${serial} revoked`);
    }
  }
}

/** Something that was done once: told if those who may decided it, else a finding. */
function judgeAct(audit: Audit, change: Change, subject: string, words: string): void {
  const decision = audit.history.decisionOf(change);
  audit.findings.push(
    decision === undefined
      ? unexpected(
          subject,
          "nothing that nobody decided",
          `${words}; ${change.event} in block ${change.block}, transaction ${change.transaction}, by no decision of those who may`,
        )
      : notice(subject, `${words}: ${decision}`),
  );
}
