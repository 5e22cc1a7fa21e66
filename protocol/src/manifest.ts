import { z } from "zod";
import { INPUT_MODES } from "./inputMode.ts";
import { tensorLayoutSchema } from "./tensorLayout.ts";

const sha256 = z.string().regex(/^0x[0-9a-f]{64}$/, "must be 0x and 64 lower-case hex digits");

const hex = (digits: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`), `must be ${digits} lower-case hex digits`);

/** Manifests of another format are of models that have to be compiled again. */
export const MANIFEST_FORMAT = 3;

const tensorSchema = z.strictObject({
  name: z.string().min(1),
  shape: z.array(z.int().min(1)),
  layout: tensorLayoutSchema,
  /** smallest and largest integer that the circuit accepts or can produce */
  minimum: z.int(),
  maximum: z.int(),
});

/**
 * `manifest.json` of a compiled model: written by `zkml compile`, read by the worker and the deployment.
 * File names are relative to the manifest's folder; hashes are SHA-256.
 */
export const manifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  /** hash of everything the build depends on: model, calibration, options, compiler */
  buildKey: sha256,
  /** slug under which the model is registered */
  name: z.string().regex(/^[a-z0-9-]{1,64}$/),
  hashes: z.strictObject({
    model: sha256,
    r1cs: sha256,
    plan: sha256,
    symbols: sha256,
    zkey: sha256,
    ptau: sha256,
    verificationKey: sha256,
    integerModel: sha256,
  }),
  files: z.strictObject({
    /** the circuit's rows */
    r1cs: z.string(),
    /** how its witness is computed */
    plan: z.string(),
    /** names of its wires; for people and tests, nothing at run time reads them */
    symbols: z.string(),
    zkey: z.string(),
    verificationKey: z.string(),
    /** the quantised IR: all the integer reference needs to run the model */
    integerModel: z.string(),
  }),
  /** where trust in the proving key comes from */
  setup: z.strictObject({
    /** development: one machine made the powers of tau; ceremony: a public file with a known hash */
    ptau: z.enum(["development", "ceremony"]),
    /** development: one machine made the only contribution to the key; ceremony: several parties were asked for one */
    phase2: z.enum(["development", "ceremony"]),
    /** hex; hashed into the key after the last contribution */
    beacon: z.string().regex(/^([0-9a-f]{2}){1,255}$/, "must be 1 to 255 bytes of lower-case hex"),
    /** BLAKE2b-512 of the circuit and its powers of tau, with which the key's transcript begins */
    csHash: hex(128),
    /** of the key's transcript: this circuit, every contribution, names and beacon */
    transcript: sha256,
    /** in their order; the last one is the beacon's */
    contributions: z.array(
      z.strictObject({
        /** BLAKE2b-512, as its party saw it */
        hash: hex(128),
        /** what its maker says who that is */
        name: z.string().optional(),
        beacon: z.string().optional(),
        /** the beacon was hashed 2^iterations times */
        iterations: z.int().optional(),
      }),
    ),
  }),
  /** what a proof shows of the input; absent: its words, packed */
  inputMode: z.enum(INPUT_MODES).exclude(["packed"]).optional(),
  /** exactly one input tensor */
  input: tensorSchema.extend({
    /** whether only whole numbers are taken, and a request with a fraction is refused */
    isInteger: z.boolean().optional(),
  }),
  /** output tensors in the order of the packed words */
  outputs: z
    .array(
      tensorSchema.extend({
        /** the final activation of the file that was left out: the output shows what it reads */
        stripped: z.string().optional(),
        /** names of the classes, where the output is the index of one */
        classes: z.array(z.string()).optional(),
      }),
    )
    .min(1),
  /** name of the output that carries the class index, where there is one */
  labelOutput: z.string().optional(),
  statistics: z.strictObject({
    parameters: z.int(),
    activations: z.int(),
    constraints: z.int(),
    nonZeros: z.int(),
    publicSignals: z.int(),
    /** share of held-out samples, 0 to 1; absent for a regression */
    floatAccuracy: z.number().optional(),
    quantisedAccuracy: z.number().optional(),
    /** per output: root mean square of the difference to the float model, relative to the float outputs' own */
    outputErrors: z.array(z.number()).optional(),
  }),
});
export type Manifest = z.infer<typeof manifestSchema>;
