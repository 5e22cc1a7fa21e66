import { integerModelSchema } from "@haca/model-runtime/integerModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import type { CheckedPage } from "@haca/protocol/blobs/pageBlob";
import { hashWords, settlementDomain } from "@haca/protocol/inferenceResult";
import { commitInput, parseSalt } from "@haca/protocol/inputCommitment";
import type { CommittedMode } from "@haca/protocol/inputMode";
import { packWords } from "@haca/protocol/packedWords";
import type { PageHeader } from "@haca/protocol/pageSettlement";
import { layOutCircuit } from "@haca/zkml/constrain/layOutCircuit";
import { Wallet } from "ethers";
import { pino } from "pino";
import { expect, it } from "vitest";
import { createApp } from "../src/api/createApp.ts";
import { readJob } from "../src/jobs/readJobs.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { ServedModel } from "../src/models/servedModel.ts";
import type { Prover } from "../src/prover/prover.ts";
import { Bench } from "../src/roles/prove/bench.ts";
import { createProvePass } from "../src/roles/prove/createProvePass.ts";
import type { Parts } from "../src/start/openParts.ts";
import { requireOptimistic } from "../src/start/requireOptimistic.ts";
import type { Database } from "../src/storage/database.ts";
import { rerunModels } from "../src/verifier/rerunModels.ts";
import { developmentKey } from "./support/localChain.ts";
import { describeStores } from "./support/stores.ts";

const wallet = new Wallet(developmentKey(1));
const domain = settlementDomain({ chainId: 31337n, settlement: `0x${"12".repeat(20)}` });
const SALT = `0x1${"7".padStart(63, "0")}`;
const logger = pino({ level: "silent" });

/** The sum of 40 bytes, which are two words. */
const integerModel = integerModelSchema.parse({
  format: 1,
  input: { name: "x", shape: [40], minimum: 0, maximum: 255, scaleExponent: 0 },
  nodes: [
    {
      ...{ kind: "affine", input: "x", output: "y", inputCount: 40, scaleExponent: 0 },
      rows: [
        { indices: Array.from({ length: 40 }, (_, at) => at), weights: Array(40).fill(1), bias: 0 },
      ],
    },
  ],
  outputs: [{ name: "y", shape: [1], value: "y", scaleExponent: 0 }],
});
const bounds = computeBounds(integerModel);
const input = Array.from({ length: 40 }, (_, at) => at);

function served(inputMode: CommittedMode): ServedModel {
  const versionId = `0x${(inputMode === "salted" ? "5" : "6").repeat(64)}`;
  const manifest = {
    ...{ ...describeTensors({ integerModel, bounds }), name: inputMode, inputMode },
    ...{ hashes: { zkey: "0x" }, statistics: {} },
  };
  return {
    ...{ folder: "", manifest, integerModel, slug: inputMode, major: 1, minor: 0, version: "1.0" },
    ...{ versionId, provable: [versionId], verifyingKey: {}, status: "published" },
  } as unknown as ServedModel;
}
const models = [served("salted"), served("committed")];
const plans = models.map(
  ({ manifest: { inputMode } }) => layOutCircuit({ integerModel, bounds, inputMode }).plan,
);

/** Answers what the circuit's own wires show, and proves nothing of it. */
const proverOf = (plan: (typeof plans)[number]) =>
  ({
    async prove({ signals }: Parameters<Prover["prove"]>[0]) {
      const { wide } = computeWitness({ plan, signals });
      const point = ["1", "2", "1"];
      return {
        backend: "snarkjs",
        proof: {
          pi_a: point,
          pi_b: [
            ["1", "2"],
            ["3", "4"],
            ["1", "0"],
          ],
          pi_c: point,
        },
        publicSignals: [1, 2, 3].map((wire) => String(wide.get(wire))),
        timings: { witnessMs: 1, proveMs: 1 },
      };
    },
    verify: async () => true,
  }) as unknown as Prover;

function appOf(database: Database) {
  return createApp({
    ...{ database, metrics: createMetrics({ database }), logger, bodyLimit: 2048 },
    conditions: new Map(),
    inference: {
      ...{ database, chain: { domain }, wallet, models, price: 0n },
      ...{
        optimisticModels: [],
        clock: { seconds: () => 1_900_000_000 },
        onAccepted: () => undefined,
      },
    },
  });
}

it("is run again by nobody, and so has no place in optimistic pages", async () => {
  const [salted] = models as [ServedModel, ...ServedModel[]];
  const results = [{ index: 0, modelVersion: salted.versionId, words: "0x" }];
  const found = await rerunModels({
    models,
    header: { bitmap: 1n } as PageHeader,
    page: { results } as unknown as CheckedPage,
  });
  expect(found).toEqual({ doubted: [], unknown: 1 });
  const parts = { models, config: { optimisticModels: ["salted"] } } as unknown as Parts;
  await expect(requireOptimistic(parts)).rejects.toMatchObject({
    code: "optimistic.inputHidden",
    message: expect.stringMatching(/^HACA_OPTIMISTIC_MODELS: salted hides its input/),
  });
});

describeStores("a hidden input", (store) => {
  const ask = async (request: object) =>
    await appOf(store.database).request("/v1/inferences", {
      ...{ method: "POST", headers: { "content-type": "application/json" } },
      body: JSON.stringify({ input, ...request }),
    });

  it.each([
    ["salted", { salt: SALT }],
    ["committed", {}],
  ] as const)("is proved, and nobody is shown more than its commitment: %s", async (name, salt) => {
    const { database } = store;
    const response = await ask({ model: name, ...salt });
    expect(response.status).toBe(200);
    const said = await response.text();
    const { outputs, receipt, requestId } = JSON.parse(said) as {
      outputs: object;
      requestId: string;
      receipt: { inputWords: string[]; message: { inputHash: string } };
    };
    const model = models.find(({ slug }) => slug === name) as ServedModel;
    const words = packWords({
      layouts: [model.manifest.input.layout],
      integers: input.map(BigInt),
    });
    expect(words).toHaveLength(2);
    const commitment = commitInput({
      ...{ mode: name, words },
      ...(name === "salted" ? { salt: parseSalt(SALT) } : {}),
    });
    expect(outputs).toEqual({ y: [780] });
    expect(receipt.inputWords).toEqual([String(commitment)]);
    expect(receipt.message.inputHash).toBe(hashWords([commitment]));

    const pass = createProvePass({
      ...{ database, chain: { domain }, models: [model], owner: "me", bench: new Bench(), logger },
      prover: proverOf(plans[models.indexOf(model)] as (typeof plans)[number]),
      metrics: createMetrics({ database }),
      onProven: () => undefined,
    });
    expect(await pass()).toBe(true);
    expect(await readJob({ database, requestId })).toMatchObject({
      ...{ state: "proven", lastError: null, inputWords: [commitment] },
    });

    const paths = [`/v1/inferences/${requestId}`, "/health", "/metrics"];
    const views = await Promise.all(
      paths.map(async (path) => await (await appOf(database).request(path)).text()),
    );
    const shown = [said, ...views].join("\n");
    expect(shown).toContain(String(commitment));
    for (const secret of [...words, BigInt(SALT)]) {
      expect(shown).not.toContain(String(secret));
      expect(shown).not.toContain(secret.toString(16));
    }
  });

  it("is refused with a salt that is missing, none, or not asked for", async () => {
    for (const [request, code] of [
      [{ model: "salted" }, "salt.missing"],
      [{ model: "salted", salt: "0x12" }, "salt.invalid"],
      [{ model: "salted", salt: `0x${"1".padStart(64, "0")}` }, "salt.invalid"],
      [{ model: "committed", salt: SALT }, "salt.unexpected"],
    ] as const) {
      const response = await ask(request);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code, field: "salt" } });
    }
    expect(await store.database.query("SELECT 1 FROM jobs")).toEqual([]);
  });
});
