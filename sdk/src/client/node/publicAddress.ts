import { lookup } from "node:dns";
import { BlockList, isIPv4, type LookupFunction } from "node:net";
import { nodeError } from "../nodeError.ts";

/** Of IPv4, whatever IANA's registry does not call globally reachable. */
const NOT_PUBLIC = new BlockList();
for (const [network, bits] of [
  ...([
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
  ] as const),
  ...([
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
  ] as const),
  ...([
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
  ] as const),
  ...([
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 3],
  ] as const),
] as const) {
  NOT_PUBLIC.addSubnet(network, bits);
}
/** Of IPv6, what is given out at all, less what leads into another network: documentation, Teredo, 6to4. */
const GIVEN_OUT = new BlockList();
GIVEN_OUT.addSubnet("2000::", 3, "ipv6");
const RESERVED = new BlockList();
RESERVED.addSubnet("2001::", 23, "ipv6");
RESERVED.addSubnet("2001:db8::", 32, "ipv6");
RESERVED.addSubnet("2002::", 16, "ipv6");
RESERVED.addSubnet("3fff::", 20, "ipv6");

/** Whether an address, as text, is one that anybody on the internet can reach. */
export const isPublicAddress = (address: string): boolean =>
  isIPv4(address)
    ? !NOT_PUBLIC.check(address)
    : GIVEN_OUT.check(address, "ipv6") && !RESERVED.check(address, "ipv6");

/** @throws BaseError `node.privateAddress` */
export function requirePublic(address: string, host: string): void {
  if (isPublicAddress(address)) return;
  throw nodeError("privateAddress", `${host} is at an address that is not public`);
}

/** Resolves a name for a connection: to none, where any of its addresses is not public. */
export const lookupPublic: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    try {
      for (const { address } of addresses) requirePublic(address, hostname);
    } catch (refusal) {
      return callback(refusal as NodeJS.ErrnoException, []);
    }
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    return callback(null, first?.address ?? "", first?.family);
  });
