/** `npm run tee -- <command>`: the operator's side of the TEE registry. */
import { VENDOR_ROWS } from "@haca/protocol/attestationVendors";
import { type Command, Option } from "commander";
import { createProgram, runProgram, withAccount, withChain } from "../lib/program.ts";

const program = createProgram({
  name: "tee",
  summary: "The operator's side of the TEE registry.",
}).addHelpText(
  "after",
  `
The key comes from Hardhat's keystore or the variable HACA_DEPLOYER_KEY, never
from the command line. HACA_RPC_URL overrides the URL of localhost.`,
);

/** A verb that sends a transaction, after it has said what it does and asked. */
const sending = (command: Command): Command =>
  withAccount(command).option("--yes", "do not ask before sending");

/** A verb that reads evidence, or asks for it. */
const ofVendor = (command: Command): Command =>
  command.addOption(
    new Option("--vendor <name>", "whose evidence it is")
      .choices(VENDOR_ROWS.map(({ name }) => name))
      .default("nitro"),
  );

ofVendor(program.command("verify <document>"))
  .description("explain an attestation document; exit status 1 if it is refused")
  .addHelpText("after", "\nThe document is a file: raw, or as base64 or hex text.")
  .option("--at <time>", 'judge it at 2026-02-12T17:56:02Z, or at "document" (default: now)')
  .option("--root <hex>", "SHA-256 of the pinned root's DER (default: the vendor's)")
  .action(async (path, options) => (await import("./verify.ts")).verify(path, options));

program
  .command("measure <eif>")
  .description("which bytes of an enclave image make which PCR; exit status 1 if it is damaged")
  .option("--files", "list the files of its ramdisks, with hashes, to compare builds by", false)
  .action(async (path, options) => (await import("./measure.ts")).measure(path, options));

ofVendor(sending(program.command("register")))
  .description("admit an enclave: document, local check, hints, simulation, one transaction")
  .requiredOption("--enclave <url>", "operator's side of the enclave's gateway")
  .requiredOption("--payment <address>", "payout address")
  .requiredOption("--endpoint <url>", "https URL under which clients reach the node")
  .requiredOption("--type <name>", "LLMProxy, Validator, DataNode or ZkmlProver")
  .option("--tls <host:port>", "where the TLS certificate is shown (default: the endpoint)")
  .option("--any-key", "admit an LLMProxy whose key is not RSA: public clients fail on it", false)
  .action(async (options) => (await import("./admission.ts")).register(options));

sending(program.command("renew <teeId>"))
  .description("fresh attestation; what is not given stays as it is")
  .requiredOption("--enclave <url>", "operator's side of the enclave's gateway")
  .option("--payment <address>", "new payout address")
  .option("--endpoint <url>", "new endpoint")
  .option("--tls <host:port>", "where the TLS certificate is shown (default: the endpoint)")
  .action(async (id, options) => (await import("./admission.ts")).renew(id, options));

withChain(program.command("status <teeId>"))
  .description("what the registry knows, and every reason why the node is active or not")
  .action(async (id, options) => (await import("./inspect.ts")).status(id, options));

withChain(program.command("list"))
  .description("nodes, 20 to a page")
  .option("--type <name>", "of one type only")
  .option("--all", "those that are not active too", false)
  .option("--page <number>", "which page", "1")
  .action(async (options) => (await import("./inspect.ts")).list(options));

sending(program.command("heartbeat"))
  .description("one heartbeat now")
  .requiredOption("--enclave <url>", "operator's side of the enclave's gateway")
  .action(async (options) => (await import("./lifecycle.ts")).heartbeat(options));

for (const [verb, name, text] of [
  ["disable", "disableTEE", "take a node out of service"],
  ["enable", "enableTEE", "put a node back into service"],
  ["retire", "retireTEE", "take a node out of service for good"],
] as const) {
  sending(program.command(`${verb} <teeId>`))
    .description(text)
    .action(async (id, options) => (await import("./lifecycle.ts")).change(name, id, options));
}

sending(program.command("ohttp <teeId>"))
  .description("set the key under which clients send oblivious requests (OHTTP)")
  .requiredOption("--enclave <url>", "operator's side of the enclave's gateway")
  .option("--next", "have the gateway make a new key; the one before stays good for a while", false)
  .action(async (id, options) => (await import("./ohttp.ts")).setOhttp(id, options));

sending(program.command("certify-session <teeId> <key>"))
  .description("have the enclave certify a session key, for heartbeats or for results too")
  .requiredOption("--enclave <url>", "operator's side of the enclave's gateway")
  .option("--days <number>", "for how long, 1 to 29", "7")
  .option("--signs-results", "its holder speaks for the enclave in results as well", false)
  .action(async (id, key, options) =>
    (await import("./sessionKeys.ts")).certifySession(id, key, options),
  );

sending(program.command("end-session <teeId> <key>"))
  .description("end a session key's validity now")
  .action(async (id, key, options) =>
    (await import("./sessionKeys.ts")).endSession(id, key, options),
  );

ofVendor(sending(program.command("store <document>")))
  .description("have the store verify a document's certificates ahead, so that it costs less")
  .action(async (path, options) =>
    (await import("./storeCertificates.ts")).storeCertificates(path, options),
  );

sending(program.command("submit <document>"))
  .description("have the verifier check a document ahead: a registrar registers with it")
  .addHelpText("after", "\nThe document is a file: raw, or as base64 or hex text.")
  .action(async (path, options) =>
    (await import("./submitDocument.ts")).submitDocument(path, options),
  );

sending(program.command("approve-bond"))
  .description("let the registry take the bond of one node, for a registrar (register asks itself)")
  .action(async (options) => (await import("./bond.ts")).approveBondAlone(options));

sending(program.command("release-bond <teeId>"))
  .description("have a retired node's bond paid back, a week later")
  .action(async (id, options) => (await import("./bond.ts")).releaseBond(id, options));

withAccount(program.command("front"))
  .description("before an enclave, for the public network's tool: verifies, then answers")
  .addHelpText(
    "after",
    `
Listens over TLS in the enclave's place while it is being registered. For every
document that is asked for it has the verifier verify that on-chain first, and
answers when that is mined. Ends by Ctrl-C; spends nothing on a registered node.`,
  )
  .requiredOption("--enclave <url>", "public side of the enclave's gateway")
  .requiredOption("--cert <file>", "certificate that the front shows, PEM")
  .requiredOption("--key <file>", "its private key, PEM")
  .option("--host <address>", "where it listens", "0.0.0.0")
  .option("--port <number>", "where it listens; 0: a free one", "443")
  .option("--budget <amount>", "most that it spends, in the chain's coin", "0.05")
  .option("--rate <number>", "most requests a minute of one address", "60")
  .option("--max-body <bytes>", "largest request", "1048576")
  .action(async (options) => (await import("./front.ts")).front(options));

program
  .command("simulate")
  .description("an enclave that isolates nothing, under this machine's development root")
  .option("--port <number>", "operator's side, http; 0: a free one", "7070")
  .option("--public-port <number>", "public side, https; 0: a free one", "7443")
  .option("--image <name>", "measurements are derived from the name", "development")
  .option("--pcrs <hex,hex,hex>", "PCR0, PCR1 and PCR2 instead, 48 bytes each")
  .option("--key <kind>", "signing key: rsa, p256 or secp256k1; clients check rsa", "rsa")
  .option("--attested-key <file>", "its key, PEM, for a gateway to read too; made if absent")
  .option("--tls-certificate <file>", "its TLS certificate, PEM, in the same way; with --tls-key")
  .option("--tls-key <file>", "the private key of that, PEM")
  .option("--result-keys", "certify session keys that sign results, if asked to", false)
  .action(async (options) => (await import("./simulate.ts")).simulate(options));

await runProgram(program);
