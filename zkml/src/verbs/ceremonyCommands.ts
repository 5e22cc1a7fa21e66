import { type Command, InvalidArgumentError } from "commander";
import { BEACON_ITERATIONS } from "../setup/keyMaker.ts";
import { integer } from "./options.ts";

/** As the native prover has them: more, and the last party could choose how long verifying takes. */
const ITERATIONS = { minimum: 10, maximum: 36 };

/** Bytes; a beacon that is shorter could be tried out. */
const BEACON_BYTES = { minimum: 32, maximum: 255 };

const verbs = () => import("./ceremonyVerbs.ts");

/** `zkml ceremony …`: a key that several parties make one after the other. */
export function addCeremonyCommands(program: Command): void {
  const ceremony = program
    .command("ceremony")
    .description("make a model's key with several parties, one after the other")
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nIn order: start, contribute or accept for each party, beacon, verify, finish.\n" +
        "One party that forgets its secret is enough: then nobody can forge proofs.",
    );

  withPtau(ceremony.command("start"))
    .description("make a folder with a model's circuit and its first key")
    .argument("<ceremony>", "folder to make")
    .argument("<model>", "compiled model")
    .action(async (folder, model, options) => (await verbs()).start(folder, model, options));

  ceremony
    .command("contribute")
    .description("add a secret to the latest key, and forget it")
    .argument("<ceremony>")
    .option("--name <text>", "who contributes; cut after 64 characters")
    .option("--entropy <file>", "mixed into the system's randomness; -: standard input")
    .action(async (folder, options) => (await verbs()).contributeTo(folder, options));

  withPtau(ceremony.command("accept"))
    .description("verify a key that another party made of the latest one, and take it")
    .argument("<ceremony>")
    .argument("<key.zkey>", "by this command, haca-prover or snarkjs")
    .action(async (folder, file, options) => (await verbs()).acceptInto(folder, file, options));

  ceremony
    .command("beacon")
    .description("end the ceremony with randomness that nobody could know before")
    .argument("<ceremony>")
    .argument("<hex>", "public randomness, 64 hex digits or more", beaconHex)
    .option("--iterations <n>", "hash it 2^n times", iterations, BEACON_ITERATIONS)
    .option("--name <text>", "what the beacon is called, such as its source", "beacon")
    .action(async (folder, hex, options) => (await verbs()).endByBeacon(folder, hex, options));

  withPtau(ceremony.command("verify"))
    .description("verify the latest key through every contribution, and list them")
    .argument("<ceremony>")
    .action(async (folder, options) => (await verbs()).verify(folder, options));

  withPtau(ceremony.command("finish"))
    .description("verify, and give the key to the model; its earlier keys are kept")
    .argument("<ceremony>")
    .argument("<model>", "compiled model, of the same circuit")
    .action(async (folder, model, options) => (await verbs()).finish(folder, model, options));
}

function withPtau(command: Command): Command {
  return command.requiredOption("--ptau <file>", "powers of tau, checked by zkml ptau");
}

function beaconHex(text: string): string {
  const { minimum, maximum } = BEACON_BYTES;
  if (!/^([0-9a-f]{2})*$/.test(text) || text.length < 2 * minimum || text.length > 2 * maximum) {
    throw new InvalidArgumentError(`must be ${minimum} to ${maximum} bytes of lower-case hex`);
  }
  return text;
}

function iterations(text: string): number {
  const value = integer(text);
  if (value < ITERATIONS.minimum || value > ITERATIONS.maximum) {
    throw new InvalidArgumentError(`must be ${ITERATIONS.minimum} to ${ITERATIONS.maximum}`);
  }
  return value;
}
