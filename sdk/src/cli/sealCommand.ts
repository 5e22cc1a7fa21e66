import { realpathSync, statSync } from "node:fs";
import { replaceFile } from "@haca/protocol/replaceFile";
import { readClient } from "../client/client.ts";
import { readNodeAddress } from "../client/nodeAddress.ts";
import { seal } from "../client/seal.ts";
import { parseReceipt } from "../receipt/parseReceipt.ts";
import { LIMITS } from "../receipt/receipt.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import { receiptId } from "../typedData.ts";
import { deploymentIn, pinsIn, requireUrl } from "./arguments.ts";
import { interruptible } from "./interrupt.ts";
import { progressOn } from "./progress.ts";
import { readInput, UsageError } from "./readInput.ts";

export type SealArguments = {
  node?: string;
  document?: string;
  pins?: string;
  rpc?: readonly string[];
  deployment?: string;
  witness?: boolean;
  attestedChannel?: boolean;
  registry?: boolean;
  json?: boolean;
};

/** `haca receipt seal`: puts the sealed receipt in the file's place in one step. `isDone`: something came, or nothing lacks. */
export async function sealFile(
  path: string,
  options: SealArguments,
): Promise<{ isDone: boolean; text: string }> {
  const { rpc: rpcs = [] } = options;
  rpcs.forEach(requireUrl);
  if (options.registry && !options.attestedChannel) {
    throw new UsageError(
      "--registry: says whose word counts of --attested-channel, and nothing else",
    );
  }
  if (path === "-") throw new UsageError("-: a receipt is sealed in its file; name one");
  const node = options.node === undefined ? undefined : readNodeAddress(options.node);
  const pins = options.pins === undefined ? {} : await pinsIn(options.pins);
  const deployment =
    options.deployment === undefined ? undefined : await deploymentIn(options.deployment);
  const document = options.document === undefined ? undefined : await documentIn(options.document);
  const receipt = parseReceipt(await readInput({ path, limit: LIMITS.receipt }));
  const id = receiptId(receipt.core);
  const client = readClient({
    ...{ chainId: receipt.core.chainId, rpcs, pins },
    ...(deployment === undefined ? {} : { deployment }),
    ...(options.attestedChannel ? { channel: "attested" } : {}),
    policy: { attestation: options.registry ? "registry" : "direct" },
  });
  const progress = progressOn(process.stderr);
  try {
    progress.say("asking for evidence");
    const sealed = await interruptible("stopped; the receipt is as it was", (signal) =>
      seal({ client, receipt, node, document, signal, wantsWitness: options.witness }),
    );
    const { appended, missing } = sealed;
    if (appended.length > 0) write(path, serialiseReceipt(sealed.receipt));
    const isDone = appended.length > 0 || missing.length === 0;
    if (options.json) {
      return { isDone, text: `${JSON.stringify({ id, appended, missing }, null, 2)}\n` };
    }
    const lines = [
      `receipt ${id}`,
      ...appended.map((type) => `appended  ${type}`),
      ...missing.map(({ type, reason }) => `missing   ${type}: ${reason}`),
    ];
    return { isDone, text: `${lines.join("\n")}\n` };
  } finally {
    progress.end();
  }
}

/** The file that a link leads to stays where it is, with its permissions. */
function write(path: string, text: string): void {
  const real = realpathSync(path);
  replaceFile({ path: real, text, mode: statSync(real).mode & 0o777 });
}

async function documentIn(path: string): Promise<Uint8Array> {
  const bytes = await readInput({ path, limit: LIMITS.document });
  if (bytes.length <= LIMITS.document) return bytes;
  throw new UsageError(`${path}: has more than ${LIMITS.document} bytes`);
}
