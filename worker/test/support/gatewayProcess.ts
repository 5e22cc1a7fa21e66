import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { Child } from "./processes.ts";
import type { Entry } from "./signedResults.ts";
import type { Settings } from "./worker.ts";

const CLI = join(import.meta.dirname, "../../../gateway/src/cli.ts");

type Answer = { haca: Pick<Entry, "message" | "signature"> };

type Asked = { count: number; status: number };

type GatewayParts = {
  enclave: SimulatedEnclave;
  /** certified for results, or not */
  session: { privateKey: string };
  versionId: string;
  /** of the worker */
  url: string;
  /** has `book.json` */
  folder: string;
};

/** What `npm run gateway -- check` says, over an upstream that has the model. */
export async function checkGateway(
  parameters: GatewayParts & { settings?: Settings },
): Promise<string> {
  const upstream = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify({ object: "list", data: [{ id: "chat", object: "model" }] }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { child, url } = startGateway({ ...parameters, upstream, verb: "check" });
  // It never listens.
  await url.catch(() => undefined);
  await child.exited;
  upstream.close();
  return child.lines.join("\n");
}

/** Starts a gateway over an upstream, in a process of its own. */
export function startGateway(
  parameters: GatewayParts & { upstream: Server; settings?: Settings; verb?: "start" | "check" },
): {
  child: Child;
  /** as soon as it listens */
  url: Promise<string>;
} {
  const { enclave, folder, session, settings, upstream, url, verb = "start" } = parameters;
  const { versionId } = parameters;
  const attestedKey = join(folder, `${enclave.teeId}.pem`);
  const key = { key: Buffer.from(enclave.signingKey), format: "der", type: "spki" } as const;
  writeFileSync(attestedKey, createPublicKey(key).export({ type: "spki", format: "pem" }));
  const child = new Child({
    command: process.execPath,
    args: [CLI, verb],
    env: {
      ...{ HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: join(folder, "book.json") },
      ...{ HACA_GATEWAY_ATTESTED_KEY: attestedKey, HACA_GATEWAY_PORT: "0" },
      ...{ HACA_GATEWAY_SESSION_KEY: session.privateKey, HACA_GATEWAY_QUEUE: url },
      HACA_GATEWAY_UPSTREAM: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`,
      HACA_GATEWAY_MODELS: `chat=${versionId}`,
      HACA_GATEWAY_ANSWERS: join(folder, `${enclave.teeId}.answers`),
      ...settings,
    },
  });
  const listening = child.waitForLine((line) =>
    line.includes('"listening"') ? (JSON.parse(line) as { url: string }).url : undefined,
  );
  return { child, url: listening };
}

/**
 * An upstream that says one thing, in one piece or as a stream.
 * @param onAsked called with every request; returns the answer's status, where that is not 200
 */
export async function startUpstream(
  onAsked: () => number | undefined = () => undefined,
): Promise<Server> {
  const upstream = createServer(async (request, response) => {
    const isStream = (JSON.parse(await text(request)) as { stream?: boolean }).stream;
    const status = onAsked() ?? 200;
    const model = "chat";
    const choice = { index: 0, finish_reason: "stop" };
    const message = { role: "assistant", content: "Hello" };
    response.writeHead(status, {
      "content-type": isStream ? "text/event-stream" : "application/json",
    });
    if (!isStream)
      return response.end(JSON.stringify({ model, choices: [{ ...choice, message }] }));
    const frame = JSON.stringify({ model, choices: [{ ...choice, delta: message }] });
    return response.end(`data: ${frame}\n\ndata: [DONE]\n\n`);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  return upstream;
}

/** The signed part of an answer's text: of a stream, its last frame. @throws where it is not whole */
export function signedIn(answer: string): Answer {
  const [, last = answer] = /data: (.*)\n\ndata: \[DONE\]\n\n$/.exec(answer) ?? [];
  return JSON.parse(last) as Answer;
}

/** A gateway in a process of its own that hands its results to a worker, over an upstream that says one thing. */
export class GatewayProcess {
  readonly #child: Child;
  readonly #upstream: Server;
  readonly #asked: Asked;
  readonly url: string;

  private constructor(parts: { child: Child; upstream: Server; asked: Asked; url: string }) {
    this.#child = parts.child;
    this.#upstream = parts.upstream;
    this.#asked = parts.asked;
    this.url = parts.url;
  }

  static async start(parameters: GatewayParts & { settings?: Settings }): Promise<GatewayProcess> {
    const asked: Asked = { count: 0, status: 200 };
    const upstream = await startUpstream(() => {
      asked.count += 1;
      return asked.status;
    });
    const { child, url } = startGateway({ ...parameters, upstream });
    return new GatewayProcess({ child, upstream, asked, url: await url });
  }

  /** How often the upstream was asked. */
  get asked(): number {
    return this.#asked.count;
  }

  /** HTTP status that the upstream answers with from now on. */
  set upstreamStatus(status: number) {
    this.#asked.status = status;
  }

  /** What it has logged. */
  get log(): string {
    return this.#child.lines.join("\n");
  }

  post(body: object): Promise<Response> {
    return fetch(`${this.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** The signed part of an answer: of a stream, its last frame. */
  async ask(body: object): Promise<Answer> {
    return signedIn(await (await this.post(body)).text());
  }

  async stop(): Promise<void> {
    await this.#child.stop("SIGTERM");
    this.#upstream.close();
    await once(this.#upstream, "close");
  }
}
