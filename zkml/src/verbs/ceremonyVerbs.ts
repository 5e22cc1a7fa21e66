import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";
import { userPath } from "@haca/protocol/userPath";
import type { CeremonyKey } from "../ceremony/ceremonyFolder.ts";
import { accept, addBeacon, contribute } from "../ceremony/extendCeremony.ts";
import { finishCeremony } from "../ceremony/finishCeremony.ts";
import { startCeremony } from "../ceremony/startCeremony.ts";
import { verifyCeremony } from "../ceremony/verifyCeremony.ts";
import { describeContribution } from "../setup/keyTranscript.ts";
import { releaseCurve } from "../setup/snarkjsResources.ts";
import { nativeProver, print } from "./options.ts";

type WithPtau = { ptau: string };

/** Where a step lies and what it reports to. */
const at = (folder: string) => ({
  folder: userPath(folder),
  ...nativeProver(),
  onProgress: print,
});

export async function start(folder: string, model: string, options: WithPtau): Promise<void> {
  await working(async () => {
    const { ceremony, isNew } = await startCeremony({
      ...{ ...at(folder), model: userPath(model), ptau: userPath(options.ptau) },
    });
    if (!isNew) print("started already, nothing was changed");
    print(`circuit     ${ceremony.latest.transcript.csHash}`);
    print(
      `${ceremony.latest.path}: anyone can forge proofs with it until somebody has contributed`,
    );
  });
}

export async function contributeTo(
  folder: string,
  options: { name?: string; entropy?: string },
): Promise<void> {
  const { name = "" } = options;
  const entropy = options.entropy === undefined ? {} : await readEntropy(options.entropy);
  await working(async () => {
    const key = await contribute({ ...at(folder), name, ...entropy });
    printKey(key);
    print("publish the hash of your contribution: it shows in every later key that yours is in it");
  });
}

export async function acceptInto(folder: string, file: string, options: WithPtau): Promise<void> {
  await working(async () => {
    const { key, isNew } = await accept({
      ...{ ...at(folder), file: userPath(file), ptau: userPath(options.ptau) },
    });
    if (!isNew) print("accepted already, nothing was changed");
    printKey(key);
  });
}

export async function endByBeacon(
  folder: string,
  beacon: string,
  options: { iterations: number; name: string },
): Promise<void> {
  await working(async () => {
    const { key, isNew } = await addBeacon({ ...at(folder), beacon, ...options });
    if (!isNew) print("this beacon was added already, nothing was changed");
    printKey(key);
  });
}

export async function verify(folder: string, options: WithPtau): Promise<void> {
  await working(async () => {
    const { ceremony } = await verifyCeremony({ ...at(folder), ptau: userPath(options.ptau) });
    const { csHash, contributions, sha256 } = ceremony.latest.transcript;
    print(`circuit     ${csHash}`);
    for (const contribution of contributions) print(describeContribution(contribution));
    print(`transcript  ${sha256}`);
    const hasEnded = contributions.at(-1)?.beacon !== undefined;
    print(`${ceremony.latest.name} is valid${hasEnded ? "" : "; the ceremony has no beacon yet"}`);
  });
}

export async function finish(folder: string, model: string, options: WithPtau): Promise<void> {
  await working(async () => {
    const { manifest, aside, isNew } = await finishCeremony({
      ...{ ...at(folder), model: userPath(model), ptau: userPath(options.ptau) },
    });
    if (!isNew) print("finished already, nothing was changed");
    print(`circuit     ${manifest.setup.csHash}`);
    print(`transcript  ${manifest.setup.transcript}`);
    print(`${userPath(model)} has the ceremony's keys`);
    if (isNew) print(`${aside} has those of before, which nothing needs any more`);
  });
}

/** snarkjs' threads would keep the process. */
async function working(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } finally {
    await releaseCurve();
  }
}

function printKey({ path, transcript }: CeremonyKey): void {
  const last = transcript.contributions.at(-1);
  if (last !== undefined) print(describeContribution(last));
  print(`written to ${path}`);
}

async function readEntropy(file: string): Promise<{ entropy: Uint8Array }> {
  const entropy = file === "-" ? await buffer(process.stdin) : readFileSync(userPath(file));
  if (entropy.length > 0) return { entropy };
  throw new BaseError({ code: "ceremony.entropyEmpty", message: `--entropy: ${file} is empty` });
}
