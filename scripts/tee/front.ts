import { readFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { formatEther, hexlify, parseEther, randomBytes } from "ethers";
import { firstLine, printable } from "../lib/words.ts";
import { DocumentGate } from "./front/documentGate.ts";
import { soundDocument } from "./front/soundDocument.ts";
import { startFront } from "./front/startFront.ts";
import { badOption, integerOption, type SendOptions, urlOption } from "./options.ts";
import { nitroVerifierOf } from "./teeContracts.ts";
import { withNetwork } from "./withNetwork.ts";

const NONCE_BYTES = 20;
const MAXIMUM_PORT = 65_535;
const MAXIMUM_BODY = 64 * 1024 * 1024;
const MAXIMUM_RATE = 100_000;
/** The public network's tool waits 30 seconds for a document. */
const DEADLINE_MS = 25_000;

export type FrontOptions = Omit<SendOptions, "yes"> & {
  enclave: string;
  cert: string;
  key: string;
  host: string;
  port: string;
  budget: string;
  rate: string;
  maxBody: string;
};

/** Runs a registration front before an enclave until a signal stops it. */
export async function front(options: FrontOptions): Promise<void> {
  const enclave = urlOption("enclave", options.enclave);
  const integer = (name: string, text: string, minimum: number, maximum: number) =>
    integerOption({ name, text, minimum, maximum });
  const port = integer("port", options.port, 0, MAXIMUM_PORT);
  const requestsPerMinute = integer("rate", options.rate, 1, MAXIMUM_RATE);
  const maximumBody = integer("max-body", options.maxBody, 1, MAXIMUM_BODY);
  const budget = amountOption("budget", options.budget);
  const tls = { cert: fileOption("cert", options.cert), key: fileOption("key", options.key) };
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { provider } = signer;
    if (provider === null) throw new BaseError({ code: "tee.refused", message: "no provider" });
    const account = await signer.getAddress();
    const { verifier, store } = await nitroVerifierOf({ contracts, runner: signer });
    const rootFingerprint = await store.rootFingerprint();
    const nonce = hexlify(randomBytes(NONCE_BYTES));
    const first = await soundDocument({ rootFingerprint, provider, enclave, nonce });
    const log = (line: string) => console.log(printable(line));
    const gate = new DocumentGate({
      ...{ contracts, verifier, store, rootFingerprint, provider, account, enclave, budget, log },
      deadline: () => AbortSignal.timeout(DEADLINE_MS),
    });
    const running = await startFront({
      ...{ host: options.host, port, tls, enclave: new URL(enclave) },
      ...{ maximumBody, requestsPerMinute, documentFor: (asked) => gate.open(asked) },
    });
    const balance = await provider.getBalance(account);
    console.log(`registration front of ${network}, https, on ${options.host}:${running.port}
  enclave          ${enclave}
  teeId            ${first.teeId}
  pays             ${account}, which has ${formatEther(balance)}
  spends           up to ${formatEther(budget)} in all, without asking; nothing once the node is registered${
    first.hasNonceAsAsked
      ? "\n  NOTE             this enclave puts any nonce into its documents: whoever asks first can\n                   register it for themselves; let nobody else reach this port"
      : ""
  }
Ctrl-C ends it`);
    await stopped;
    await running.close();
    console.log("stopped");
  });
}

function amountOption(name: string, text: string): bigint {
  if (/^\d{1,9}(\.\d{1,18})?$/.test(text) && parseEther(text) > 0n) return parseEther(text);
  throw badOption(`--${name} must be an amount above 0 like 0.05, got ${text}`);
}

function fileOption(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw badOption(`--${name}: ${path} cannot be read: ${firstLine(cause)}`, cause);
  }
}
