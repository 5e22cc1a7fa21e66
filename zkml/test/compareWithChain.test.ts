import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { hashFile } from "@haca/model-runtime/loadModel";
import { abis } from "@haca/protocol/abi";
import { encodeVerifyingKey } from "@haca/protocol/groth16";
import type { Manifest } from "@haca/protocol/manifest";
import { Interface, ZeroHash } from "ethers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { compareWithChain } from "../src/compareWithChain.ts";
import { compileModel } from "../src/compileModel.ts";
import { multilayerPerceptron } from "./utils/onnxFile.ts";
import { zkml } from "./utils/runZkml.ts";

const root = mkdtempSync(join(tmpdir(), "haca-chain-"));
const folder = join(root, "model");
const registry = `0x${"11".repeat(20)}`;
const versionId = `0x${"22".repeat(32)}`;
const ABI = new Interface(abis.ModelRegistry);

/** What the registry of the chain says; tests change it. */
let version: ReturnType<typeof published>;
let key: string;
/** An answer in the place of the registry's. */
let instead: object | undefined;
let server: Server;
let rpc: string;
let manifest: Manifest;
let manifestHash: string;

beforeAll(async () => {
  const onnx = multilayerPerceptron({ inputs: 3, hidden: 2, classes: 2 });
  writeFileSync(join(root, "model.onnx"), onnx);
  const calibration = [
    [1, 2, 3],
    [0, 1, 0],
  ];
  const ptauFolder = join(root, "ptau");
  ({ manifest } = await compileModel({ onnx, name: "m", calibration, out: folder, ptauFolder }));
  manifestHash = await hashFile({ path: join(folder, "manifest.json"), algorithm: "sha256" });
  server = createServer(async (incoming, response) => {
    const { method, params } = (await json(incoming)) as {
      method: string;
      params: [{ data: string }];
    };
    response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, ...(instead ?? answer(method, params)) }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  rpc = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-key`;
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  rmSync(root, { recursive: true });
});

const published = () => ({
  ...{ modelId: ZeroHash, major: 1, minor: 0, status: 1, publishedAt: 1, deprecatedAt: 0 },
  ...{ modelHash: manifest.hashes.model, blobId: manifestHash, circuitHash: manifest.hashes.r1cs },
  ...{ csHash: `0x${manifest.setup.csHash}`, transcriptHash: manifest.setup.transcript },
  ...{ inputMode: 0, inputWords: 1, outputWords: 1, inputLayout: [manifest.input.layout] },
  outputLayout: manifest.outputs.map(({ layout }) => layout),
});

function answer(method: string, params: [{ data: string }]): object {
  if (method === "eth_chainId") return { result: "0x7a69" };
  const call = ABI.parseTransaction(params[0]);
  if (call?.args[0] !== versionId) {
    const data = ABI.encodeErrorResult("ModelRegistry_VersionUnknown", [call?.args[0]]);
    return { error: { code: 3, message: "execution reverted", data } };
  }
  const result = call.name === "getVersion" ? [version] : [key];
  return { result: ABI.encodeFunctionResult(call.name, result) };
}

/** A model's folder beside a chain that says `change` of it. */
async function compare(change: Partial<ReturnType<typeof published>> = {}, otherKey?: string) {
  version = { ...published(), ...change };
  key = otherKey ?? keyOf(folder);
  return await compareWithChain({ folder, rpc, registry, versionId });
}
const keyOf = (at: string): string =>
  encodeVerifyingKey(JSON.parse(readFileSync(join(at, "verification_key.json"), "utf8")));

describe("a compiled model beside a chain's registry", () => {
  it("is equal in model, circuit, layouts, key, transcript and manifest", async () => {
    expect(await compare()).toEqual({
      equal: [
        "SHA-256 of the model on chain 31337",
        "SHA-256 of the circuit on chain 31337",
        "input mode on chain 31337",
        "layout of the input on chain 31337",
        "layout of the outputs on chain 31337",
        "verifying key on chain 31337",
        "csHash on chain 31337",
        "SHA-256 of the transcript on chain 31337",
        "SHA-256 of the manifest on chain 31337",
      ],
      differences: [],
      notes: [`version ${versionId} of chain 31337 is published`],
    });
  });

  it("names each thing that is another", async () => {
    const other = `0x${"33".repeat(32)}`;
    const layout = { ...manifest.input.layout, scaleExponent: -99 };
    const cases: [Parameters<typeof compare>, RegExp][] = [
      [[{ modelHash: other }], /^SHA-256 of the model: the chain says 0x33/],
      [[{ circuitHash: other }], /^SHA-256 of the circuit: the chain says 0x33/],
      [[{ csHash: `0x${"33".repeat(64)}` }], /^csHash: the chain says 0x(33){64}, the folder 0x/],
      [[{ transcriptHash: other }], /^SHA-256 of the transcript: the chain says 0x33/],
      [[{ inputMode: 1 }], /^input mode: the chain says committed, the folder packed$/],
      [[{ inputLayout: [layout] }], /^layout of the input: the chain says .*2\^-99, the folder /],
      [
        [{ outputLayout: [layout] }],
        /^layout of the outputs: the chain says .*2\^-99, the folder /,
      ],
      [[{}, withOtherEnd(keyOf(folder))], /^verifying key: the chain has another than /],
    ];
    for (const [change, reason] of cases) {
      const { differences } = await compare(...change);
      expect(differences).toEqual([expect.stringMatching(reason)]);
    }
  });

  it("is not contradicted by a version that names no transcript, another blob, or is deprecated", async () => {
    const untold = { csHash: "0x", transcriptHash: ZeroHash };
    const changed = { ...untold, blobId: `0x${"33".repeat(32)}`, status: 2 };
    const { differences, notes, equal } = await compare(changed);
    expect(differences).toEqual([]);
    expect(equal).toHaveLength(6);
    expect(notes).toEqual([
      expect.stringMatching(/ is deprecated$/),
      expect.stringMatching(/names no transcript/),
      expect.stringMatching(/^the chain's blob id 0x(33){32} is not the manifest's SHA-256$/),
    ]);
  });

  it("is compared by zkml reproduce", async () => {
    await compare();
    const args = ["reproduce", "model", "--onnx", "model.onnx", "--no-keys", "--rpc", rpc];
    const named = ["--registry", registry, "--version-id", versionId];
    const { code, stdout, stderr } = await zkml({ args: [...args, ...named], cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^equal {7}csHash on chain 31337$/m);
    expect(stdout).toMatch(/^equal {7}SHA-256 of the transcript on chain 31337$/m);
    const unknown = `0x${"44".repeat(32)}`;
    await expect(compareWithChain({ folder, rpc, registry, versionId: unknown })).rejects.toThrow(
      expect.objectContaining({ code: "chain.versionUnknown" }),
    );
  });

  it.each<[string, string[], RegExp]>([
    ["a registry without an endpoint", ["--registry", registry], /belong to --rpc/],
    ["an address that is none", ["--rpc", "http://x", "--registry", "0x1"], /must be an address/],
    ["an id that is none", ["--rpc", "http://x", "--version-id", "1.0"], /0x and 64 hex digits/],
  ])("refuses %s", async (_, options, reason) => {
    const args = ["reproduce", "model", "--onnx", "model.onnx", ...options];
    expect(await zkml({ args, cwd: root })).toMatchObject({
      ...{ code: 2, stdout: "", stderr: expect.stringMatching(reason) },
    });
  });

  it("says what does not answer, and keeps its path, which may be a key, to itself", async () => {
    const at = (place: string) => compareWithChain({ folder, rpc: place, registry, versionId });
    await expect(at("nowhere")).rejects.toThrow(/^--rpc is no URL$/);
    await expect(at("http://127.0.0.1:1/secret-key")).rejects.toThrow(
      /^127\.0\.0\.1:1 does not answer eth_chainId: /,
    );
    const { host } = new URL(rpc);
    for (const [given, reason] of [
      [{ result: "0x" }, /does not answer eth_chainId: gives no number$/],
      [{ result: "0x7a69" }, /^there is no model registry at 0x1111.* of chain 31337$/],
      [
        { error: { code: -1, message: "no\u001b[2J more" } },
        `${host} does not answer eth_chainId: no?[2J more`,
      ],
    ] as const) {
      instead = given;
      await expect(at(rpc)).rejects.toThrow(reason);
    }
    instead = undefined;
  });

  it("is looked for in the address book, where nothing is named", async () => {
    vi.stubEnv("HACA_ADDRESS_BOOK", join(root, "none.json"));
    await expect(compareWithChain({ folder, rpc })).rejects.toThrow(
      /no address book at .*none\.json/,
    );
    vi.unstubAllEnvs();
  });
});
