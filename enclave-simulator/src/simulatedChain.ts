import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { makeCertificate } from "./makeCertificate.ts";

type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };
/** Who signs certificates: a name, its certificate in DER and its keys. */
export type Authority = { name: string; certificate: Uint8Array; keys: KeyPair };

/** A hierarchy like that of AWS: a root, and three authorities below it (region, zone, instance). */
export type SimulatedChain = {
  /** DER, to be pinned by a development deployment */
  root: Uint8Array;
  /** DER, root first */
  cabundle: readonly Uint8Array[];
  names: readonly string[];
  serials: readonly bigint[];
  instance: Authority;
};

const YEAR = 365n * 24n * 60n * 60n;
const LEVELS = [
  { name: "region", validity: 20n * 24n * 60n * 60n, pathLength: 2 },
  { name: "zone", validity: 6n * 24n * 60n * 60n, pathLength: 1 },
  { name: "instance", validity: 24n * 60n * 60n, pathLength: 0 },
] as const;

export const makeP384Keys = (): KeyPair => generateKeyPairSync("ec", { namedCurve: "P-384" });

/**
 * Makes a root and authorities with fresh keys. FOR DEVELOPMENT AND TESTS ONLY: whoever runs this holds the root's
 * key, and what it attests means nothing.
 * @param parameters.now unix seconds from which on the chain is valid
 * @param parameters.root of an earlier chain, to be continued
 */
export function makeSimulatedChain(parameters: {
  now: bigint;
  root?: Authority;
  /** seconds by which validities are longer than AWS's */
  extraValidity?: bigint;
}): SimulatedChain & { rootAuthority: Authority } {
  const { now, extraValidity = 0n } = parameters;
  const rootAuthority = parameters.root ?? makeRoot(now);
  const chain = [rootAuthority];
  const serials = [1n];
  for (const [i, level] of LEVELS.entries()) {
    const parent = chain[i] ?? rootAuthority;
    const keys = makeP384Keys();
    const name = `${level.name}.simulated.nitro-enclaves`;
    const serial = BigInt(i + 2);
    const certificate = makeCertificate({
      fields: {
        issuer: parent.name,
        subject: name,
        serial,
        notBefore: now,
        notAfter: now + level.validity + extraValidity,
        publicKey: keys.publicKey,
        authority: { pathLength: level.pathLength },
      },
      issuerKey: parent.keys.privateKey,
    });
    serials.push(serial);
    chain.push({ name, certificate, keys });
  }
  return {
    root: rootAuthority.certificate,
    cabundle: chain.map(({ certificate }) => certificate),
    names: chain.map(({ name }) => name),
    serials,
    instance: chain.at(-1) ?? rootAuthority,
    rootAuthority,
  };
}

function makeRoot(now: bigint): Authority {
  const keys = makeP384Keys();
  const name = "simulated.nitro-enclaves";
  const certificate = makeCertificate({
    fields: {
      issuer: name,
      subject: name,
      serial: 1n,
      notBefore: now,
      notAfter: now + 30n * YEAR,
      publicKey: keys.publicKey,
      authority: {},
    },
    issuerKey: keys.privateKey,
  });
  return { name, certificate, keys };
}
