import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { id } from "ethers";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { openResultSigner } from "../../src/profile/resultSigner.ts";
import type { SignedResult } from "../../src/profile/signAnswer.ts";
import type { GatewayConfig } from "../../src/settings/readGatewayConfig.ts";
import { type RunningGateway, startGateway } from "../../src/startGateway.ts";
import { type Handler, HttpServer } from "./httpServer.ts";

export const VERSION_ID = id("version");
export const UPSTREAM_KEY = "sk-upstream-secret";
/** Settings of the upstream of a bed, which gives it its URL. */
export const UPSTREAM = {
  ...{ key: UPSTREAM_KEY, url: "", silenceMs: 20_000, maximumAnswer: 1 << 20 },
};
/** Headers of a stream. */
export const STREAM = { "content-type": "text/event-stream" };
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const SIGNER = openResultSigner({
  attestedKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});
export const DOMAIN = settlementDomain({ chainId: 31337n, settlement: `0x${"11".repeat(20)}` });

/** Parts of an answer that tests look at. */
export type Answer = {
  model: string;
  choices: { index: number; finish_reason: string; message?: unknown; text?: string }[];
  usage?: unknown;
  haca: { salt: string; signature: string; profile: string } & Pick<SignedResult, "message">;
};

export const ANSWER = {
  ...{ id: "chatcmpl-1", object: "chat.completion", created: 1_800_000_000, model: "m-2026" },
  system_fingerprint: "fp_1",
  choices: [
    { index: 0, message: { role: "assistant", content: "Hello, wörld" }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};

/** A frame of a stream. */
export const frame = (choices: object[], rest: object = {}): string => {
  const common = { id: "c", object: "chat.completion.chunk", created: 1, model: "m-2026" };
  return `data: ${JSON.stringify({ ...common, choices, ...rest })}\n\n`;
};
export const says = (content: string, index = 0): string =>
  frame([{ index, delta: { content }, finish_reason: null }]);
export const ends = (reason = "stop", index = 0): string =>
  frame([{ index, delta: {}, finish_reason: reason }]);
export const DONE = "data: [DONE]\n\n";

export const answering =
  (body: unknown, status = 200): Handler =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
export const streaming =
  (...frames: string[]): Handler =>
  (response) => {
    response.writeHead(200, STREAM);
    response.end(frames.join(""));
  };
/** The worker's answer to a result. */
export const accepting: Handler = (response) => void response.writeHead(202).end("{}");

/** Results that are handed in, alone or as a list. */
export function resultsIn(body: string): SignedResult[] {
  const given = JSON.parse(body) as SignedResult | { results: SignedResult[] };
  return "results" in given ? given.results : [given];
}

/** A gateway between an upstream and a queue that do as the test says. */
export class Bed {
  readonly upstream: HttpServer;
  readonly queue: HttpServer;
  readonly gateway: RunningGateway;
  readonly log: string[];

  /** of answers that are kept */
  readonly folder: string;

  private constructor(parts: {
    upstream: HttpServer;
    queue: HttpServer;
    gateway: RunningGateway;
    folder: string;
    log: string[];
  }) {
    this.upstream = parts.upstream;
    this.queue = parts.queue;
    this.gateway = parts.gateway;
    this.folder = parts.folder;
    this.log = parts.log;
  }

  static async start(changes: Partial<GatewayConfig> = {}): Promise<Bed> {
    const upstream = await HttpServer.start(answering(ANSWER));
    const queue = await HttpServer.start(accepting);
    const folder = mkdtempSync(join(tmpdir(), "haca-answers-"));
    const log: string[] = [];
    const gateway = await startGateway({
      config: {
        ...{ signer: SIGNER, domain: DOMAIN, models: new Map([["m", VERSION_ID]]) },
        ...{ enclave: undefined, operator: undefined, facilitator: undefined },
        ohttpOverlapMs: 60_000,
        queue: { url: queue.url, secret: undefined, withinMs: 20_000 },
        http: { host: "127.0.0.1", port: 0 },
        admission: { running: 8, waiting: 8, waitMs: 20_000 },
        limits: { body: 1 << 20, answerMs: 40_000, clientMs: 20_000 },
        ...{ stopMs: 20_000, logLevel: "trace" as const },
        ...changes,
        answers: { maximumBytes: 1 << 20, ...changes.answers, folder },
        upstream: { ...(changes.upstream ?? UPSTREAM), url: `${upstream.url}/v1` },
        ...(changes.queue && { queue: { ...changes.queue, url: queue.url } }),
      },
      logger: pino(
        { level: "trace", base: null },
        { write: (line: string) => void log.push(line) },
      ),
    });
    return new Bed({ upstream, queue, gateway, folder, log });
  }

  /** The same for one test. */
  static async forTest(changes: Partial<GatewayConfig>): Promise<Bed> {
    const made = await Bed.start(changes);
    onTestFinished(() => made.stop());
    return made;
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await Promise.all([this.upstream.stop(), this.queue.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  /** As in a fresh one, with what was received forgotten. */
  reset(): void {
    this.upstream.handler = answering(ANSWER);
    this.queue.handler = accepting;
    this.upstream.received.length = 0;
    this.queue.received.length = 0;
  }

  get results(): SignedResult[] {
    return this.queue.received.flatMap(({ body }) => resultsIn(body));
  }

  post(
    body: unknown,
    options: { headers?: Record<string, string>; path?: string; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const { headers, path = "chat/completions", signal } = options;
    return fetch(`${this.gateway.url}/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(signal && { signal }),
    });
  }

  async answer(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.post(body, { headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  }

  /** Status and error of a request that is refused. */
  async refusal(body: unknown, options: Parameters<Bed["post"]>[1] = {}) {
    const response = await this.post(body, options);
    const { error } = (await response.json()) as {
      error: { code: string; message: string; param: string | null };
    };
    return { status: response.status, ...error };
  }
}

/** The data of a stream's events. */
export const eventsIn = (text: string): string[] =>
  text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.slice("data: ".length));
