import type { Evidence, Receipt, WitnessEvidence } from "@haca/sdk/receipt/receipt";
import { withOtherS } from "@haca/sdk/signatureForm";

/**
 * A change of a good receipt: the value at a path is another one, and the text is written anew by RFC 8785. `refuted` is the line
 * that says so, null where what results is no receipt.
 */
export type BadReceipt = {
  name: string;
  of: string;
  path: (string | number)[];
  value: unknown;
  refuted: string | null;
};

type Made = {
  receipts: Readonly<Record<string, Receipt>>;
  otherImage: Receipt;
  otherRoot: Receipt;
  otherEnclave: Receipt;
  otherProof: Evidence;
  otherKey: Evidence;
  /** of the receipt `teeWitnessed`, whose second evidence it is */
  witness: WitnessEvidence;
  otherSignature: string;
};

/** A byte of a header's state root, behind two hashes and an address. */
const STATE_ROOT_BYTE = 100;

const word = (digit: string): string => `0x${digit.repeat(64)}`;

export function badReceipts(made: Made): BadReceipt[] {
  const { receipts } = made;
  const core = (name: string): Receipt["core"] => {
    const found = receipts[name];
    if (found === undefined) throw new Error(`no receipt ${name}`);
    return found.core;
  };
  const change = (
    name: string,
    of: string,
    path: (string | number)[],
    value: unknown,
    refuted: string | null,
  ): BadReceipt => ({ name, of, path, value, refuted });
  const message = (field: string, of: string, value: string): BadReceipt =>
    change(`${of}: another ${field}`, of, ["core", "message", field], value, "signature");
  const form = (name: string, of: string, path: (string | number)[], value: unknown): BadReceipt =>
    change(name, of, path, value, null);

  return [
    ...["teeRsa", "teeP256", "teeSecp256k1", "zkml"].flatMap((of) => [
      message("modelVersion", of, word("a")),
      message("inputHash", of, word("b")),
      message("outputHash", of, word("c")),
      message("requester", of, `0x${"77".repeat(20)}`),
      message("price", of, "1"),
      message("timestamp", of, "1899999939"),
      change(`${of}: another chain`, of, ["core", "chainId"], "1", "signature"),
      change(
        `${of}: another contract`,
        of,
        ["core", "settlement"],
        `0x${"66".repeat(20)}`,
        "signature",
      ),
      change(
        `${of}: another request`,
        of,
        ["core", "message", "requestId"],
        word("0"),
        "signature",
      ),
      change(`${of}: from the future`, of, ["core", "message", "timestamp"], "1900000061", "time"),
    ]),
    change(
      "teeP256: another enclave's request",
      "teeP256",
      ["core", "message", "requestId"],
      word("1"),
      "request",
    ),
    change("teeP256: another input", "teeP256", ["core", "input", "text"], "{}", "input"),
    change("teeP256: another salt", "teeP256", ["core", "input", "salt"], word("1"), "input"),
    change("teeP256: another output", "teeP256", ["core", "output", "text"], "{}", "output"),
    change(
      "teeP256: another enclave's key",
      "teeP256",
      ["core", "key"],
      made.otherEnclave.core.key,
      "key",
    ),
    form("an RSA signature with a P-256 key", "teeRsa", ["core", "key"], core("teeP256").key),
    change(
      "teeSession: another account",
      "teeSession",
      ["core", "session"],
      `0x${"88".repeat(20)}`,
      "signature",
    ),
    form(
      "an account's signature with an RSA key",
      "teeRsa",
      ["core", "signature"],
      made.otherSignature,
    ),
    change(
      "zkml: signed over something else",
      "zkml",
      ["core", "signature"],
      made.otherSignature,
      "signature",
    ),
    // A whole answer of another enclave: everything fits but what is pinned.
    change("another image", "teeP256", [], made.otherImage, "attestation"),
    change("another root", "teeP256", [], made.otherRoot, "attestation"),
    change(
      "another enclave's document",
      "teeP256",
      [],
      {
        ...receipts.teeP256,
        core: { ...core("teeP256"), attestation: made.otherEnclave.core.attestation },
        evidence: made.otherEnclave.evidence,
      },
      "attestation",
    ),
    change(
      "another document than the core's",
      "teeP256",
      ["evidence"],
      made.otherEnclave.evidence,
      "attestation",
    ),
    change(
      "a document that the core does not name",
      "teeP256",
      ["core", "attestation"],
      null,
      "attestation",
    ),
    change("zkml: other words", "zkml", ["core", "output", "words", 0], word("1"), "output"),
    change(
      "zkml: one word to the other side",
      "zkml",
      ["core"],
      {
        ...core("zkml"),
        input: { type: "words", words: [toWord(3)] },
        output: { type: "words", words: [toWord(5), toWord(8)] },
      },
      "proof",
    ),
    change("zkml: the proof of another request", "zkml", ["evidence", 0], made.otherProof, "proof"),
    change("zkml: the proof under another key", "zkml", ["evidence", 0], made.otherKey, "proof"),
    change(
      "zkml: a second proof that does not hold",
      "zkml",
      ["evidence"],
      [...(receipts.zkml?.evidence ?? []), made.otherProof],
      "proof",
    ),
    ...["zkmlInPage", "teeP256InPage"].flatMap((of) => [
      change(`${of}: another neighbour`, of, ["evidence", 1, "path", 7], word("1"), "page"),
      change(`${of}: another root`, of, ["evidence", 1, "header", "root"], word("1"), "page"),
      change(`${of}: left out by the page`, of, ["evidence", 1, "header", "bitmap"], "0", "page"),
      change(
        `${of}: another contract's page`,
        of,
        ["evidence", 1, "pageSettlement"],
        `0x${"99".repeat(20)}`,
        "page",
      ),
    ]),
    ...badWitnesses(made.witness, change, form),
    form("the other s, P-256", "teeP256", ["core", "signature"], withOtherS(core("teeP256"))),
    form(
      "the other s, secp256k1",
      "teeSecp256k1",
      ["core", "signature"],
      withOtherS(core("teeSecp256k1")),
    ),
    form("the other s, a node's", "zkml", ["core", "signature"], withOtherS(core("zkml"))),
    form("v 0", "zkml", ["core", "signature"], `${core("zkml").signature.slice(0, -2)}00`),
    form("upper case", "zkml", ["core", "message", "inputHash"], word("B")),
    form("a leading zero", "zkml", ["core", "message", "price"], "07"),
    form("a number", "zkml", ["core", "message", "price"], 7),
    form("an unknown kind of evidence", "zkml", ["evidence", 0], {
      type: "verdict",
      verified: "yes",
    }),
    form("another format", "zkml", ["mediaType"], "application/vnd.haca-receipt.v2+json"),
    form("a key without an enclave", "zkml", ["core", "key"], core("teeP256").key),
    form("an enclave without a key", "teeRsa", ["core", "key"], null),
  ];
}

type Change<Rest extends unknown[]> = (
  name: string,
  of: string,
  path: (string | number)[],
  value: unknown,
  ...rest: Rest
) => BadReceipt;

/** Parts that are missing, twice, in vain, or other ones. */
function badWitnesses(
  { codes, header, nodes }: WitnessEvidence,
  change: Change<[refuted: string | null]>,
  form: Change<[]>,
): BadReceipt[] {
  const of = "teeWitnessed";
  const bad = (name: string, part: string, value: unknown): BadReceipt =>
    change(`${of}: ${name}`, of, ["evidence", 1, part], value, "witness");
  const [first = ""] = nodes;
  const [code = ""] = codes;
  const places = [0, 1, nodes.length >> 1, nodes.length - 1];
  return [
    ...places.map((place) =>
      bad(`another bit in node ${place}`, "nodes", nodes.with(place, flipped(nodes[place] ?? ""))),
    ),
    ...places.map((place) => bad(`without node ${place}`, "nodes", nodes.toSpliced(place, 1))),
    bad("a node twice", "nodes", [first, ...nodes]),
    bad("a node that nothing leads to", "nodes", [...nodes, flipped(first)]),
    bad("another bit in the code", "codes", [flipped(code)]),
    bad("without the code", "codes", []),
    bad("a code that nothing leads to", "codes", [code, "0x00"]),
    bad("another state", "header", flipped(header, STATE_ROOT_BYTE)),
    bad("a header that ends early", "header", header.slice(0, -2)),
    form(`${of}: no nodes`, of, ["evidence", 1, "nodes"], []),
    form(`${of}: upper case`, of, ["evidence", 1, "header"], `0x${header.slice(2).toUpperCase()}`),
    form(`${of}: slots that it says itself`, of, ["evidence", 1, "slots"], {}),
  ];
}

/** The bytes with one bit changed, in their middle if nothing else is said. */
function flipped(hex: string, byte = hex.length >> 2): string {
  const at = 2 + 2 * byte;
  const other = (Number.parseInt(hex.slice(at, at + 2), 16) ^ 0x10).toString(16).padStart(2, "0");
  return hex.slice(0, at) + other + hex.slice(at + 2);
}

const toWord = (value: number): string => `0x${value.toString(16).padStart(64, "0")}`;
