import { abis } from "@haca/protocol/abi";
import type { AddressBook } from "@haca/protocol/addressBook";
import { Interface, keccak256 } from "ethers";
import { expect, it } from "vitest";
import type { Audit } from "./audit.ts";
import { checkModel } from "./checkBook.ts";
import type { Finding } from "./finding.ts";

type Model = AddressBook["models"][number];

const hash = (byte: string) => `0x${byte.repeat(32)}`;
const KEY = "0x0102";
const CS_HASH = `0x${"c5".repeat(64)}`;
const model: Model = {
  ...{ slug: "digits", owner: `0x${"11".repeat(20)}`, major: 1, minor: 2 },
  ...{ modelId: hash("01"), versionId: hash("02"), modelHash: hash("03"), circuitHash: hash("04") },
  ...{ verifyingKeyHash: keccak256(KEY), manifestHash: hash("05") },
  ...{ csHash: CS_HASH, transcriptHash: hash("07") },
};

/** What is found about a model of the book on a chain whose registry has this version, encoded as the contract does it. */
async function find(entry: Model, blobId: string): Promise<Finding[]> {
  const abi = new Interface(abis.ModelRegistry);
  const version = [
    ...[model.modelId, 1, 2, 1, 1, 0, hash("03"), blobId, hash("04"), CS_HASH, hash("07")],
    ...[0, 1, 1, [], []],
  ];
  const answers: Record<string, unknown[]> = { getVerifyingKey: [KEY], getVersion: [version] };
  const findings: Finding[] = [];
  const reader = {
    view: async (_address: string, fragment: string) => {
      const name =
        new Interface([fragment]).getFunction(fragment.split(/[ (]/)[1] ?? "")?.name ?? "";
      const encoded = abi.encodeFunctionResult(name, answers[name] ?? []);
      return new Interface([fragment]).decodeFunctionResult(name, encoded);
    },
  };
  const contracts = new Map([["ModelRegistry", `0x${"22".repeat(20)}`]]);
  await checkModel({ reader, contracts, findings } as unknown as Audit, entry);
  return findings;
}

it("compares every hash of a model's version with the chain, the manifest's among them", async () => {
  const alike = await find(model, hash("05"));
  expect(alike.map(({ subject, kind }) => [subject, kind])).toEqual(
    [
      ...["verifying key", "model hash", "circuit hash", "manifest hash"],
      ...["csHash", "transcript hash"],
    ].map((what) => [`${what} of digits 1.2`, "equal"]),
  );
  const changed = { circuitHash: hash("0a"), csHash: `0x${"c6".repeat(64)}` };
  const other = await find({ ...model, ...changed, transcriptHash: hash("08") }, hash("06"));
  expect(other.filter(({ kind }) => kind === "different")).toEqual([
    {
      kind: "different",
      subject: "circuit hash of digits 1.2",
      expected: `book ${hash("0a")}`,
      actual: `chain ${hash("04")}`,
    },
    {
      kind: "different",
      subject: "manifest hash of digits 1.2",
      expected: `book ${hash("05")}`,
      actual: `chain ${hash("06")}`,
    },
    expect.objectContaining({ subject: "csHash of digits 1.2", actual: `chain ${CS_HASH}` }),
    expect.objectContaining({
      ...{ subject: "transcript hash of digits 1.2", actual: `chain ${hash("07")}` },
    }),
  ]);
});

it("says nothing of a manifest and of a key's making that the book does not name", async () => {
  const { manifestHash: _, csHash: _circuit, transcriptHash: _transcript, ...entry } = model;
  const found = await find(entry, hash("06"));
  expect(found.map(({ subject }) => subject)).toEqual(
    ["verifying key", "model hash", "circuit hash"].map((what) => `${what} of digits 1.2`),
  );
  expect(found.every(({ kind }) => kind === "equal")).toBe(true);
});
