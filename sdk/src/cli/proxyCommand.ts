import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChatReply } from "../client/chat/chatReply.ts";
import type { Pins } from "../pins.ts";
import { ProxyError } from "../proxy/proxyError.ts";
import { type RunningProxy, startProxy } from "../proxy/startProxy.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import { receiptId } from "../typedData.ts";
import { type ClientArguments, openClient } from "./openClient.ts";
import { type PaymentArguments, payerOf } from "./payment.ts";
import { UsageError } from "./readInput.ts";

/** Where the token comes from that callers bring; on a command line others would see it. */
const TOKEN = "HACA_PROXY_TOKEN";

export type ProxyArguments = ClientArguments &
  PaymentArguments & { port: string; receipts?: string };

/** `haca proxy`: starts it, and says where it listens. A token that nobody named is drawn, and said. */
export async function runProxy(
  options: ProxyArguments,
  env: NodeJS.ProcessEnv,
): Promise<{ proxy: RunningProxy; text: string }> {
  const { port, receipts } = options;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--port: must be 0 to 65535, got ${port}`);
  }
  const given = env[TOKEN] ?? "";
  if (given !== "" && !/^[\x21-\x7e]{16,}$/.test(given)) {
    throw new UsageError(`${TOKEN}: must be 16 printable characters at least, without spaces`);
  }
  const token = given === "" ? randomBytes(24).toString("base64url") : given;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const { haca, pins } = await openClient(options, await payerOf(options, { env, say }));
  const models = modelsIn(pins);
  if (models.length === 0) throw new UsageError("--pins: has no model to chat with");
  if (receipts !== undefined) makeFolder(receipts);
  const proxy = await listening({
    ...{ haca, models, token, port: Number(port) },
    ...(receipts === undefined ? {} : { onReply: (reply) => keepReceipt(receipts, reply) }),
  });
  const said = given === "" ? `token ${token}\n` : "";
  return { proxy, text: `listening on ${proxy.url}\n${said}` };
}

/** Those that are not proved: of these a chat is asked. */
const modelsIn = ({ models = {} }: Pins): string[] =>
  Object.entries(models).flatMap(([name, { verifyingKeyHash }]) =>
    verifyingKeyHash === undefined ? [name] : [],
  );

async function listening(parameters: Parameters<typeof startProxy>[0]): Promise<RunningProxy> {
  try {
    return await startProxy(parameters);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "EADDRINUSE" ? "something listens there already" : `cannot listen (${code})`;
    throw new UsageError(`--port: ${reason}`);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch {
    throw new UsageError(`--receipts: ${path} cannot be made a folder`);
  }
}

/** The same answer twice, of an idempotency key, has the same receipt but for its document: the first one stays. */
function keepReceipt(folder: string, { receipt }: ChatReply): void {
  if (receipt === null) return;
  const path = join(folder, `${receiptId(receipt.core)}.json`);
  if (existsSync(path)) return;
  try {
    writeFileSync(path, serialiseReceipt(receipt), { mode: 0o600 });
  } catch {
    throw new ProxyError(500, "proxy.receiptNotKept", "the answer's receipt cannot be kept");
  }
}
