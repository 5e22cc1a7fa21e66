/** A request to a node, over whatever there is to send it by. */
export type Call = {
  url: URL;
  method: "GET" | "POST";
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array<ArrayBuffer> | undefined;
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

/** What there is only where servers' certificates are shown to a program. */
export type Tls = {
  /** The DER of the certificate that a server shows, whose key it has. Nothing is sent to it, and nobody vouches for it. */
  certificateOf: (url: URL, signal: AbortSignal) => Promise<Uint8Array>;
  /**
   * Sends to a server that shows this very certificate, whoever has signed it, and to nobody else: each connection is looked at
   * before anything is sent over it. Rejects with `node.otherCertificate` for another one.
   */
  pinnedTo: (url: URL, certificate: Uint8Array) => Send;
};
