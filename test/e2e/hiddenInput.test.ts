import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { commitInput, parseSalt } from "@haca/protocol/inputCommitment";
import { packWords } from "@haca/protocol/packedWords";
import { JsonRpcProvider } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { developmentKey } from "../../scripts/demo/localChain.ts";
import { startWorker } from "../../scripts/demo/startWorker.ts";
import { BOOK, LocalDeployment, ROOT, success } from "./localDeployment.ts";

const MODEL = "digits";
const TIMEOUT_MS = 120_000;
const [PUBLISHER, NODE] = [0, 1];
const file = (name: string): string => join(ROOT, "models", MODEL, name);

type Job = {
  requestId: string;
  state: string;
  failure: string | null;
  transaction: { hash: string } | null;
  receipt: { inputWords: string[]; outputWords: string[] };
};

describe("a hidden input on a local chain", () => {
  let chain: LocalDeployment;
  let folder = "";
  let worker = "";

  beforeAll(async () => {
    chain = await LocalDeployment.start();
    await success(chain.deploy({}));
    folder = join(chain.folder, "hidden");
    const files = [file(`${MODEL}.onnx`), "--calibration", file("calibration.json")];
    await success(
      chain.run([
        ...["zkml/src/cli.ts", "compile", ...files, "--out", folder, "--input-mode", "salted"],
      ]),
    );
    const key = { HACA_DEPLOYER_KEY: developmentKey(PUBLISHER) };
    await success(chain.run(["scripts/models/cli.ts", "register", "--folder", folder], key));
    worker = await startWorker({
      ...{ group: chain.group, name: "worker", account: NODE, settings: { HACA_MODELS: folder } },
      ...{ runFolder: chain.folder, rpcUrl: chain.url, timeoutMs: TIMEOUT_MS },
    });
  });
  afterAll(async () => {
    await chain?.stop();
  });

  it("settles by its commitment, and the chain has nothing else of it", async () => {
    const [input] = JSON.parse(readFileSync(file("test.json"), "utf8")).images;
    const { versionId } = readAddressBook(BOOK).models.find(({ slug }) => slug === MODEL) ?? {};
    const { InferenceSettlement } = readAddressBook(BOOK).contracts;
    const settlement = InferenceSettlement.address.toLowerCase();
    const written = (name: string, value: object): string => {
      const path = join(chain.folder, name);
      writeFileSync(path, JSON.stringify(value));
      return path;
    };
    const pins = written("pins.json", {
      settlements: [{ chainId: "31337", settlement }],
      models: { [MODEL]: { version: versionId } },
    });
    const said = await success(
      chain.run([
        ...["sdk/src/cli/cli.ts", "infer", "--json", "--chain", "31337", "--rpc", chain.url],
        ...["--node", worker, "--pins", pins, "--model", MODEL, "--input-mode", "salted"],
        ...["--input", written("input.json", input)],
      ]),
    );
    // On standard error, before the node was asked.
    const [told = ""] = said.split("\n");
    // After that, and after what it says of waiting on a busy machine.
    const answer = JSON.parse(said.slice(said.indexOf("\n{")));
    expect(told).toBe(`salt ${answer.salt}: keep it, even if no answer comes`);
    expect(answer.verification).toBe("verified");
    const salt = parseSalt(answer.salt);
    const { requestId } = answer.receipt.core.message;
    const job = await chain.group.waitFor({
      ...{ name: "worker", timeoutMs: TIMEOUT_MS },
      async probe() {
        const found = (await (await fetch(`${worker}/v1/inferences/${requestId}`)).json()) as Job;
        expect(found.failure).toBe(null);
        return found.state === "settled" ? found : undefined;
      },
    });
    const { input: tensor } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    const words = packWords({ layouts: [tensor.layout], integers: input.map(BigInt) });
    const commitment = commitInput({ mode: "salted", words, salt });
    expect(job.receipt.inputWords).toEqual([String(commitment)]);

    const provider = new JsonRpcProvider(chain.url);
    const sent = await provider.getTransaction(job.transaction?.hash ?? "");
    const hex = (word: bigint): string => word.toString(16).padStart(64, "0");
    expect(sent?.data).toContain(hex(commitment));
    for (const word of words) expect(sent?.data).not.toContain(hex(word).slice(2));
    provider.destroy();
  });

  it("is named by the version, and the circuit is reproduced from what the chain says", async () => {
    const entry = readAddressBook(BOOK).models.find(({ slug }) => slug === MODEL);
    expect(entry).toMatchObject({ csHash: expect.stringMatching(/^0x[0-9a-f]{128}$/) });
    const parameters = ["reproduce", folder, "--onnx", file(`${MODEL}.onnx`), "--rpc", chain.url];
    const said = await success(chain.run(["zkml/src/cli.ts", ...parameters]));
    expect(said).toMatch(/input mode on chain 31337/);
  });
});
