/** A request to a node, over whatever there is to send it by. */
export type Call = {
  url: URL;
  method: "GET" | "POST";
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  /** ends the call, and the body of its answer */
  signal: AbortSignal;
};

/** An answer, as soon as its head is here. Redirections are not followed: they are answers. */
export type Sent = {
  status: number;
  header: (name: string) => string | undefined;
  body: AsyncIterable<Uint8Array>;
};

/** Sends a request, once. Rejects where there is no answer; with a BaseError where it is not to be sent at all. */
export type Send = (call: Call) => Promise<Sent>;
