import type { Send, Tls } from "./send.ts";

/** Browsers show such a redirection with the status 0, and nothing else of it. */
const REDIRECTED = 302;

/**
 * In browsers, which neither say what a name resolves to nor let a page choose: private addresses are theirs to refuse (CORS,
 * private network access).
 */
export const send: Send = async ({ url, method, headers, body, signal }) => {
  const response = await fetch(url, {
    ...{ method, signal, redirect: "manual", headers: { ...headers } },
    ...{ cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" },
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.type === "opaqueredirect" ? REDIRECTED : response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: chunksOf(response),
  };
};

/** Browsers show a program no certificate. */
export const tls: Tls | undefined = undefined;

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    // Not every browser iterates over streams.
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
