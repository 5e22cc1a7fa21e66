import { type ErrorDescription, formatEther, Interface } from "ethers";
import { abis, errorAbis } from "../generated/abi.ts";
import { NODE_STATUSES } from "./attestationParameters.ts";

/** Why a call reverted: the error's name, and one line for a person. Its text is a contract's: not to be trusted. */
export type Revert = { name: string; message: string };

const BUILT_IN = ["error Error(string reason)", "error Panic(uint256 code)"];
const INTERFACES = [BUILT_IN, ...Object.values(abis), ...errorAbis].map(
  (abi) => new Interface(abi),
);

/** The compiler's panics that a person may meet, by their numbers. */
const PANICS: Readonly<Record<string, string>> = {
  "1": "an assertion failed",
  "17": "arithmetic overflow",
  "18": "division by zero",
  "50": "an index is out of range",
};

/** A time for a person; unix seconds where no calendar reaches. */
const time = (seconds: unknown): string => {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(".000Z", "Z");
};

const opg = (amount: unknown): string => `${formatEther(BigInt(String(amount)))} OPG`;

const statusOf = (number: unknown): string => NODE_STATUSES[Number(number)] ?? String(number);

type Explain = (values: readonly unknown[]) => string;

/** What a person can do something about; the other errors are shown with their arguments. */
const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  Error: ([reason]) => String(reason),
  Panic: ([code]) => PANICS[String(code)] ?? `panic ${code}`,
  TEERegistry_NodeUnknown: ([id]) => `the registry has no node ${id}`,
  TEERegistry_NodeExists: ([id]) =>
    `node ${id} is registered already; its attestation can be renewed`,
  TEERegistry_NotOperator: ([expected, actual]) =>
    `only the node's operator ${expected} may do this, not ${actual}`,
  TEERegistry_OperatorDenied: ([operator]) => `operator ${operator} is denied by the guardian`,
  TEERegistry_StatusInvalid: ([id, status]) =>
    `node ${id} is ${statusOf(status)}: not possible in that state`,
  TEERegistry_ImageNotApproved: ([hash, type]) => `image ${hash} is not approved for type ${type}`,
  TEERegistry_ApprovalOutdated: ([expected]) =>
    `the image was revoked since this approval was made; an approval now has to name ${expected}`,
  TEERegistry_SignerRevoked: ([id]) => `certificate ${id} behind the document is revoked`,
  TEERegistry_EvidenceTypeMismatch: ([expected, actual]) =>
    `the verifier reads evidence of kind ${actual}, those under this id read ${expected}`,
  TEERegistry_VerifierMismatch: ([expected, actual]) =>
    `the node was admitted by verifier ${expected}, and not by ${actual}`,
  TEERegistry_AdmissionPaused: ([until]) =>
    `admissions of new nodes are paused until ${time(until)}`,
  TEERegistry_BindingMismatch: ([expected, actual]) =>
    `the evidence is bound to ${actual}; this sender, payment address, endpoint and type need ${expected}`,
  TEERegistry_KeysMismatch: () => "the evidence vouches for another TLS certificate or signing key",
  TEERegistry_KeyMismatch: ([expected, actual]) =>
    `the enclave's key is node ${actual}, not ${expected}`,
  TEERegistry_ImageMismatch: ([expected, actual]) =>
    `the enclave runs image ${actual}, the node was admitted with ${expected}`,
  TEERegistry_EvidenceNotNewer: ([last, actual]) =>
    `the document of ${time(actual)} is not newer than the last one, of ${time(last)}`,
  TEERegistry_HeartbeatStale: ([earliest, actual]) =>
    `the heartbeat of ${time(actual)} is too old, it must not be before ${time(earliest)}`,
  TEERegistry_HeartbeatFromFuture: ([latest, actual]) =>
    `the heartbeat of ${time(actual)} is ahead of the chain, which takes them until ${time(latest)}`,
  TEERegistry_SignatureInvalid: ([id]) => `the signature is not by the key of node ${id}`,
  AttestationVerifier_EvidenceTooOld: ([earliest, issued]) =>
    `the document of ${time(issued)} is too old, it must not be before ${time(earliest)}`,
  AttestationVerifier_EvidenceFromFuture: ([latest, issued]) =>
    `the document of ${time(issued)} is ahead of the chain, which takes them until ${time(latest)}`,
  CertificateStore_RootMismatch: () =>
    "the document's root certificate is not the one that this deployment pins",
  CertificateStore_Revoked: ([id]) => `certificate ${id} behind the document is revoked`,
  CertificateStore_RootIsPinned: () => "the pinned root cannot be revoked: governance replaces it",
  CertificateStore_CertificateUnknown: ([id]) => `no certificate ${id} is stored`,
  CertificateStore_AlreadyRevoked: () => "that is revoked already",
  CertificateStore_Expired: ([id, notAfter]) =>
    `certificate ${id} behind the document expired at ${time(notAfter)}`,
  PageSettlement_DepositTooSmall: ([needed, actual]) =>
    `the deposit for pages is too small: ${opg(actual)}, and ${opg(needed)} are needed`,
  PageSettlement_PagesOpen: ([account, count]) =>
    `${account} answers for ${count} open page(s); nothing can be withdrawn before their bonds are released`,
  PageSettlement_TooEarly: ([earliest]) => `that can be done from ${time(earliest)} on`,
  PageSettlement_TooLate: ([latest]) => `that could be done until ${time(latest)}`,
  PageSettlement_Paused: ([until]) => `proposals of pages are paused until ${time(until)}`,
  PageSettlement_KindNotOpen: () => "pages of this kind are not proposed, attested or proved",
  PageSettlement_TooManyDemands: () =>
    "as many proofs of the page are demanded as may be at a time",
  PageSettlement_LeafIsProved: ([, index]) => `the result at place ${index} was proved`,
  PageSettlement_DemandInvalid: ([, index]) =>
    `the proof of place ${index} is demanded already, or is not`,
  PageSettlement_NotAdmissible: ([version]) =>
    `version ${version} is open to optimistic pages already, or no proof of it was shown`,
  PageSettlement_NothingToTake: () => "every request of the page is taken already",
  PageSettlement_NoConsent: ([operator]) =>
    `the page is proposed neither by the enclave's operator ${operator} nor with its signature`,
  NodeBonds_NoBond: ([id]) => `no bond of node ${id} is held`,
  NodeBonds_StatusInvalid: ([id, expected, actual]) =>
    `node ${id} is ${statusOf(actual)}; it has to be ${statusOf(expected)}`,
  NodeBonds_TooEarly: ([earliest]) => `the bond is paid back from ${time(earliest)} on`,
  NitroDocument_DebugMode: () => "the enclave runs in debug mode",
};

const DEPTH = 6;
/** Where libraries put what lies behind an error. */
const INNER = ["data", "error", "info", "cause"] as const;

/** The bytes that a call reverted with, wherever a library has put them in what it throws; undefined where it has none. */
export function revertData(error: unknown, depth = 0): string | undefined {
  if (typeof error === "string") return /^0x([0-9a-f]{2}){4,}$/i.test(error) ? error : undefined;
  if (typeof error !== "object" || error === null || depth > DEPTH) return undefined;
  for (const key of INNER) {
    const found = revertData((error as Record<string, unknown>)[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The data of a revert in words: of any contract of a deployment, a reason, or a panic. */
export function explainRevert(data: string | null | undefined): Revert {
  if (data === null || data === undefined || data === "0x") {
    return { name: "unknown", message: "reverted without a reason" };
  }
  for (const abi of INTERFACES) {
    const error = parse(abi, data);
    if (error !== null) return describe(error);
  }
  return { name: "unknown", message: `reverted with ${data.slice(0, 74)}` };
}

/** The same four bytes may be another contract's error, with other values behind them. */
function parse(abi: Interface, data: string): ErrorDescription | null {
  try {
    return abi.parseError(data);
  } catch {
    return null;
  }
}

function describe(error: ErrorDescription): Revert {
  const { name, args, fragment } = error;
  const explain = EXPLANATIONS[name];
  if (explain !== undefined) return { name, message: explain(args.toArray()) };
  const values = fragment.inputs.map((input, index) => `${input.name || index}: ${args[index]}`);
  return { name, message: `${name}(${values.join(", ")})` };
}
