import { nodeError } from "./nodeError.ts";

/** Names of this machine that are no matter of what a resolver says. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether a host, as `URL` has it, is this machine by its very name. */
export const isLoopbackName = (hostname: string): boolean => LOOPBACK.test(hostname);

/**
 * A node's address: https, or http to this machine where the address says so; without password, query and fragment.
 * @throws BaseError `node.badAddress`
 */
export function readNodeAddress(text: string): URL {
  const url = typeof text === "string" ? URL.parse(text) : null;
  if (url === null) throw nodeError("badAddress", "a node's address is no URL");
  const isSafe =
    url.protocol === "https:" || (url.protocol === "http:" && isLoopbackName(url.hostname));
  if (!isSafe) {
    throw nodeError(
      "badAddress",
      `${url.host}: a node is spoken to by https; by http on this machine alone`,
    );
  }
  if (`${url.username}${url.password}${url.search}${url.hash}` !== "") {
    throw nodeError(
      "badAddress",
      `${url.host}: a node's address has no password, query or fragment`,
    );
  }
  return url;
}

/** Where a path of a node is, behind whatever path its address has. */
export function urlAt(node: URL, path: string): URL {
  return new URL(`${node.href.replace(/\/$/, "")}${path}`);
}
