/** `npm run tee -- <command>`: the operator's side of the TEE registry. */
import { reportFailure } from "../lib/reportFailure.ts";
import { badOption, parseOptions, type TeeOptions } from "./options.ts";
import { simulate } from "./simulate.ts";
import { verify } from "./verify.ts";

const HELP = `The operator's side of the TEE registry.

usage: npm run tee -- <command> [options]

  verify <document.bin>     explain a raw AWS Nitro attestation document; exit status 1 if it is refused
      --at <time>           time at which it is judged, as 2026-02-12T17:56:02Z or "document" (default: now)
      --root <hex>          SHA-256 of the pinned root's DER (default: AWS's)

  register                  admit an enclave: document, local check, hints, simulation, one transaction
      --enclave <url>       gateway of the enclave
      --payment <address>   payout address
      --endpoint <url>      https URL under which clients reach the node
      --type <name>         LLMProxy, Validator, DataNode or ZkmlProver
      --tls <host:port>     where the TLS certificate is shown (default: the endpoint)
  rotate <teeId>            fresh attestation, with a new endpoint, payout address or TLS certificate where given
      --enclave <url> [--payment <address>] [--endpoint <url>] [--tls <host:port>]
  status <teeId>            what the registry knows, and every reason why the node is active or not
  list                      nodes, 20 to a page
      --type <name>         of one type only
      --all                 those that are not active too
      --page <number>       (default 1)
  heartbeat                 one sign of life now
      --enclave <url>       operator's side of the enclave
  disable|enable <teeId>    take a node out of service, and back
  retire <teeId>            take a node out of service for good
  release-bond <teeId>      have a retired node's bond paid back, a week later

  simulate                  an enclave that isolates nothing, for development, under this machine's development root
      --port <number>       operator's side, http (default 7070; 0: a free one)
      --public-port <number> public side, https (default 7443; 0: a free one)
      --image <name>        measurements are derived from the name (default development)
      --pcrs <hex,hex,hex>  measurements PCR0, PCR1, PCR2 instead, 48 bytes each
      --key <kind>          signing key: rsa, p256 or secp256k1 (default p256)

with a chain:
  --network <name>          localhost, or another network of hardhat.config.ts; always to be given
  --account <number>        which of the network's accounts sends (default 0)
  --yes                     do not ask before sending

The key comes from Hardhat's keystore or the variable HACA_DEPLOYER_KEY, never from the command line.
HACA_RPC_URL overrides the URL of localhost.`;

type Run = (options: TeeOptions, argument: string | undefined) => Promise<void>;

/** Those that need a chain are loaded when they are called: Hardhat takes seconds to start. */
const COMMANDS: Readonly<Record<string, Run>> = {
  verify,
  simulate,
  register: async (options) => (await import("./admission.ts")).register(options),
  rotate: async (options, id) => (await import("./admission.ts")).rotate(options, id),
  status: async (options, id) => (await import("./inspect.ts")).status(options, id),
  list: async (options) => (await import("./inspect.ts")).list(options),
  heartbeat: async (options) => (await import("./lifecycle.ts")).heartbeat(options),
  disable: async (options, id) =>
    (await import("./lifecycle.ts")).change("disableTEE", options, id),
  enable: async (options, id) => (await import("./lifecycle.ts")).change("enableTEE", options, id),
  retire: async (options, id) => (await import("./lifecycle.ts")).change("retireTEE", options, id),
  "release-bond": async (options, id) => (await import("./bond.ts")).releaseBond(options, id),
};

async function main(): Promise<void> {
  const { values, positionals } = parseOptions(process.argv.slice(2));
  const [command, argument] = positionals;
  if (values.help || command === undefined) {
    console.log(HELP);
    return;
  }
  const run = COMMANDS[command];
  if (run === undefined) {
    throw badOption(`expected one of ${Object.keys(COMMANDS).join(", ")}, got ${command}`);
  }
  await run(values, argument);
}

main().catch(reportFailure);
