import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { userPath } from "@haca/protocol/userPath";
import { compareWithChain } from "../compareWithChain.ts";
import { DEFAULT_PTAU_FOLDER } from "../compileModel.ts";
import { readOnnxFile } from "../onnx/readOnnxFile.ts";
import { reproduceModel } from "../reproduceModel.ts";
import { describeTranscript } from "../setup/keyTranscript.ts";
import { releaseCurve } from "../setup/snarkjsResources.ts";
import { nativeProver, print, usage } from "./options.ts";

/** `zkml reproduce`: a line for everything that was compared; exit code 1 where anything differs. */
export async function reproduce(
  folder: string,
  options: {
    onnx: string;
    ptau?: string;
    keys: boolean;
    rpc?: string;
    registry?: string;
    versionId?: string;
  },
): Promise<void> {
  const { rpc, registry, versionId } = options;
  if (rpc === undefined && (registry !== undefined || versionId !== undefined)) {
    throw usage("reproduce: --registry and --version-id belong to --rpc");
  }
  const workFolder = mkdtempSync(join(tmpdir(), "haca-zkml-reproduce-"));
  try {
    const { equal, differences, transcript } = await reproduceModel({
      ...readOnnxFile(userPath(options.onnx)),
      folder: userPath(folder),
      workFolder,
      ...(options.ptau === undefined ? {} : { ptau: userPath(options.ptau) }),
      ptauFolder: DEFAULT_PTAU_FOLDER,
      keys: options.keys,
      ...nativeProver(),
      onProgress: print,
    });
    if (rpc !== undefined) {
      const chain = await compareWithChain({
        ...{ folder: userPath(folder), rpc },
        ...(registry === undefined ? {} : { registry }),
        ...(versionId === undefined ? {} : { versionId }),
      });
      equal.push(...chain.equal);
      differences.push(...chain.differences);
      for (const line of chain.notes) print(`note        ${line}`);
    }
    for (const name of equal) print(`equal       ${name}`);
    for (const line of transcript === undefined ? [] : describeTranscript(transcript)) print(line);
    for (const line of differences) print(`different   ${line}`);
    if (differences.length > 0) {
      print(
        `not reproduced: ${differences.length === 1 ? "1 difference" : `${differences.length} differences`}`,
      );
      process.exitCode = 1;
    } else {
      print(options.keys ? "reproduced" : "reproduced, but for its keys, which nobody looked at");
    }
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
    await releaseCurve();
  }
}
