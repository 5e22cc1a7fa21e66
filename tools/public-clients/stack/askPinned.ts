import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import { buffer } from "node:stream/consumers";

/** Posts to a server of this machine that shows one certificate, whatever name is in it. */
export async function askPinned(parameters: {
  url: string;
  /** PEM */
  certificate: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  const { body, certificate, headers, url } = parameters;
  const asked = request(url, {
    ...{ method: "POST", ca: certificate, checkServerIdentity: () => undefined, agent: false },
    headers: { ...headers, "content-length": String(body.length) },
  });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return {
    ...{ status: answer.statusCode ?? 0, headers: answer.headers },
    body: await buffer(answer),
  };
}
