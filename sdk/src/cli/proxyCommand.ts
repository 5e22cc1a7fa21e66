import type { Pins } from "../pins.ts";
import { type RunningProxy, startProxy } from "../proxy/startProxy.ts";
import { listening, readPort, readToken } from "./listening.ts";
import { type ClientArguments, openClient, type ReleaseArguments } from "./openClient.ts";
import { type PaymentArguments, payerOf } from "./payment.ts";
import { UsageError } from "./readInput.ts";
import { receiptFolder } from "./receiptFolder.ts";

export type ProxyArguments = ClientArguments &
  ReleaseArguments &
  PaymentArguments & { port: string; receipts?: string };

/** `haca proxy`: starts it, and says where it listens. A token that nobody named is drawn, and said. */
export async function runProxy(
  options: ProxyArguments,
  env: NodeJS.ProcessEnv,
): Promise<{ proxy: RunningProxy; text: string }> {
  const port = readPort(options.port);
  const { said, token } = readToken("HACA_PROXY_TOKEN", env);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const { haca, pins } = await openClient(options, await payerOf(options, { env, say }));
  const models = modelsIn(pins);
  if (models.length === 0) throw new UsageError("--pins: has no model to chat with");
  const keep = options.receipts === undefined ? undefined : receiptFolder(options.receipts);
  const proxy = await listening(() =>
    startProxy({
      ...{ haca, models, token, port },
      ...(options.release && { release: options.release }),
      onReply: ({ receipt }) => void (receipt && keep?.(receipt)),
    }),
  );
  return { proxy, text: `listening on ${proxy.url}\n${said}` };
}

/** Those that are not proved: of these a chat is asked. */
const modelsIn = ({ models = {} }: Pins): string[] =>
  Object.entries(models).flatMap(([name, { verifyingKeyHash }]) =>
    verifyingKeyHash === undefined ? [name] : [],
  );
