#!/usr/bin/env node
import { BaseError } from "@haca/protocol/baseError";
import { Command, Option } from "commander";
import type { ChannelsArguments, WithdrawArguments } from "./channelCommand.ts";
import type { ChatArguments } from "./chatCommand.ts";
import type { InferArguments } from "./inferCommand.ts";
import { INTERRUPTED, InterruptedError } from "./interrupt.ts";
import type { McpArguments } from "./mcpCommand.ts";
import type { ModelsArguments } from "./modelsCommand.ts";
import type { NodesArguments } from "./nodesCommand.ts";
import { isColoured, printable } from "./print.ts";
import type { ProxyArguments } from "./proxyCommand.ts";
import type { VerifyArguments } from "./receiptCommands.ts";
import type { SealArguments } from "./sealCommand.ts";
import type { WaitArguments } from "./waitCommand.ts";

const HELP_COLUMNS = 80;
/** Of an answer that is not verified, and of a file that is no receipt. */
const NOT_VERIFIED = 1;
const USAGE = 2;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** Arguments that the commands look at, and those that go on to the client as its options. */
const USAGE_CODES: readonly string[] = ["haca.usage", "option.wrong", "node.badAddress"];

/** One line, whatever it is; what nobody foresaw is shown whole to who asks for it. */
function fail(error: unknown): void {
  const isKnown = error instanceof BaseError;
  const hint = isKnown ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${printable(message.replaceAll(/\s+/g, " "))}${hint}\n`);
  if (!isKnown && process.env.HACA_DEBUG === "1") console.error(error);
  if (error instanceof InterruptedError) process.exitCode = INTERRUPTED;
  else process.exitCode = isKnown && USAGE_CODES.includes(error.code) ? USAGE : NOT_VERIFIED;
}

const collect = (value: string, values: readonly string[] = []): readonly string[] => [
  ...values,
  value,
];

const program = new Command("haca")
  .description("answers of models that anybody can check")
  .helpCommand(false)
  .helpOption("-h, --help", "this text")
  .configureOutput({ getOutHelpWidth: () => HELP_COLUMNS, getErrHelpWidth: () => HELP_COLUMNS })
  .exitOverride((exit) => {
    process.exit(exit.exitCode === 0 ? 0 : USAGE);
  });
const receipt = program
  .command("receipt")
  .description("receipts of answers")
  .helpCommand(false)
  .helpOption("-h, --help", "this text");

receipt
  .command("verify <file>")
  .description(
    "check a receipt, - for standard input: one line for each check. Status 0 if it is verified, 1 if it is not, 2 for a " +
      "wrong argument",
  )
  .option("--pins <file>", "what is known beforehand: settlements, images, models")
  .option("--model <name>", "this one of the pinned models has to have answered")
  .option("--rpc <url>", "ask this endpoint, too; all that are named have to agree", collect)
  .option("--deployment <file>", "deployments/<chain>.json: settlement, its storage, models' names")
  .option(
    "--block-hash <hash>",
    "you know this block to be the chain's: what a witness shows of it counts; as often as you like",
    collect,
  )
  .option("--registry", "take the registry's word for an enclave in place of its document")
  .option("--legacy", "take an answer that names neither chain, contract and request nor a version")
  .option("--demand <check>", "this line has to be asserted, too; as often as you like", collect)
  .option("--now <seconds>", "the time, in unix seconds; this machine's clock if left out")
  .option("--json", "for programs")
  .helpOption("-h, --help", "this text")
  .allowExcessArguments(false)
  .action(async (path: string, options: VerifyArguments) => {
    const { verifyFile } = await import("./receiptCommands.ts");
    const { isVerified, text } = await verifyFile(path, {
      ...options,
      isColoured: isColoured(process.stdout, process.env),
    });
    process.stdout.write(text);
    if (!isVerified) process.exitCode = NOT_VERIFIED;
  });
receipt
  .command("show <file>")
  .description("what a receipt says, - for standard input; checks nothing but its form")
  .option("--json", "for programs")
  .helpOption("-h, --help", "this text")
  .allowExcessArguments(false)
  .action(async (path: string, options: { json?: boolean }) => {
    const { showFile } = await import("./receiptCommands.ts");
    process.stdout.write(await showFile(path, options));
  });
receipt
  .command("seal <file>")
  .description(
    "append the evidence that can be had now to a receipt, in its file: proof and page from the node that answered, the " +
      "document that it names. Status 0 if something came or nothing lacks, 1 otherwise, 2 for a wrong argument",
  )
  .option("--node <url>", "the node that answered")
  .option("--document <file>", "the attestation document, as bytes")
  .option("--pins <file>", "what is known beforehand: the settlement, the model's key")
  .option("--deployment <file>", "deployments/<chain>.json: settlement and its storage")
  .option(
    "--rpc <url>",
    "ask this endpoint for the verifying key, and the first one for a witness; all that are named have to agree",
    collect,
  )
  .option("--witness", "append what the latest block's state shows, by eth_getProof")
  .option(
    "--attested-channel",
    "ask the node over TLS alone whose certificate its enclave attests, by a pinned image",
  )
  .option("--registry", "take the registry's word for that enclave in place of its document")
  .option("--json", "for programs")
  .helpOption("-h, --help", "this text")
  .allowExcessArguments(false)
  .action(async (path: string, options: SealArguments) => {
    const { sealFile } = await import("./sealCommand.ts");
    const { isDone, text } = await sealFile(path, options);
    process.stdout.write(text);
    if (!isDone) process.exitCode = NOT_VERIFIED;
  });
program
  .command("wait <file>")
  .description(
    "wait until a receipt's result is settled, or final; Ctrl-C loses nothing. Status 0 when it is, 1 if it can never be, 2 " +
      "for a wrong argument",
  )
  .option("--until <clock>", "settled: for good; final: in a finalised block besides", "final")
  .option("--pins <file>", "what is known beforehand: the settlement")
  .option("--rpc <url>", "ask this endpoint; all that are named have to agree", collect)
  .option("--poll <seconds>", "pause between two looks; 4 if left out")
  .option("--json", "for programs")
  .helpOption("-h, --help", "this text")
  .allowExcessArguments(false)
  .action(async (path: string, options: WaitArguments) => {
    const { waitForFile } = await import("./waitCommand.ts");
    const { isReached, text } = await waitForFile(path, {
      ...options,
      isColoured: isColoured(process.stdout, process.env),
    });
    process.stdout.write(text);
    if (!isReached) process.exitCode = NOT_VERIFIED;
  });

/** A command that asks a chain. */
const looking = (name: string): Command =>
  program
    .command(name)
    .option("--pins <file>", "what is known beforehand: settlements, images, models")
    .option("--deployment <file>", "deployments/<chain>.json: settlement, names of models, nodes")
    .option("--chain <id>", "chain on which answers are settled; the pins' one if left out")
    .option("--rpc <url>", "ask this endpoint, too; all that are named have to agree", collect)
    .helpOption("-h, --help", "this text")
    .allowExcessArguments(false);

looking("models [name]")
  .description(
    "models of the registry: one with its versions, by owner/slug, by a version's id, as owner/slug@major.minor or by a pinned " +
      "name; without a name the latest. With --indexer, a search for models with the name in theirs. Status 1 if there is none, " +
      "2 for a wrong argument",
  )
  .option("--indexer <url>", "search there; its word is not checked, and is marked so")
  .option("--limit <number>", "models at most, 1 to 100; 20 if left out")
  .option("--json", "for programs")
  .action(async (name: string | undefined, options: ModelsArguments) => {
    const { showModels } = await import("./modelsCommand.ts");
    const { isFound, text } = await showModels(name, options);
    process.stdout.write(text);
    if (!isFound) process.exitCode = NOT_VERIFIED;
  });
looking("nodes")
  .description(
    "active nodes of the registry, and whether they would be asked. Status 1 if there is none, 2 for a wrong argument",
  )
  .option("--type <number>", "of this type alone")
  .option("--registry", "take the registry's word for an enclave, whatever its image")
  .option("--local-nodes", "take nodes on this machine from the registry, for local chains")
  .option("--ping", "ask each that would be asked how fast it answers")
  .option("--attested-channel", "over TLS alone whose certificate the node's enclave attests")
  .option("--json", "for programs")
  .action(async (options: NodesArguments) => {
    const { showNodes } = await import("./nodesCommand.ts");
    const { isFound, text } = await showNodes(options);
    process.stdout.write(text);
    if (!isFound) process.exitCode = NOT_VERIFIED;
  });

/** A command that asks nodes. */
const asking = (name: string): Command =>
  looking(name)
    .option(
      "--node <url>",
      "ask this node; of several one is drawn, another if it is away. None: the deployment's, or the registry's",
      collect,
    )
    .option("--type <number>", "type of the registry's nodes; 0 if left out")
    .option(
      "--witness",
      "append to the receipt what the latest block's state shows of the answer, by the first --rpc; needs --deployment",
    )
    .option("--local-nodes", "take nodes on this machine from the registry, for local chains");

/** A command that asks enclaves. */
const chatting = (name: string): Command =>
  asking(name)
    .option("--registry", "take the registry's word for an enclave in place of its document")
    .option(
      "--attested-channel",
      "ask over TLS alone whose certificate the node's enclave attests, whoever has signed it",
    )
    .option(
      "--oblivious",
      "seal requests to a key of the node's enclave; nobody else can read them",
    )
    .option(
      "--relay <url>",
      "have it bring them, so that the node does not see who asks; needs --registry",
    );

/** One that may pay them, and gives on streams. */
const paying = (name: string): Command =>
  chatting(name)
    .addOption(
      new Option(
        "--release <mode>",
        "signed: nothing before the whole answer is verified; channel: text as it comes over an attested channel, which the " +
          "end confirms, or this fails; signed if left out",
      ).choices(["signed", "channel"]),
    )
    .option(
      "--pay <amount>",
      "pay as much OPG at most for an answer, from the account of HACA_PAYER_KEY",
    )
    .option("--budget <amount>", "pay as much OPG at most in all")
    .option(
      "--route <name>",
      "pay by escrow, if left out, by exact, or by commerce, as often as you like; or by channel alone",
      collect,
    )
    .option(
      "--operator <address>",
      "of commerce: by this operator alone, or one of several",
      collect,
    )
    .option("--gate <address>", "of channels: with this gate alone, or one of several", collect)
    .option("--deposit <amount>", "of channels: bring as much OPG in when one has too little")
    .option(
      "--payee <address>",
      "pay this account alone, or one of several; needed for exact",
      collect,
    )
    .option("--payments <folder>", "note payments there, so that none is made twice after a crash");

asking("infer")
  .description(
    "ask a model whose answers are proved. Status 0 for an answer that is verified, or that --no-proof took as it is; 1 " +
      "otherwise, 2 for a wrong argument",
  )
  .requiredOption("--model <name>", "a version's id, owner/slug@major.minor, or a pinned name")
  .requiredOption("--input <file>", "numbers as JSON, in a list or in lists of the input's shape")
  .addOption(
    new Option(
      "--input-mode <mode>",
      "of a model that hides its input, as its manifest says; committed has no salt: the input can be found by trying",
    ).choices(["committed", "salted"]),
  )
  .option(
    "--salt <hex>",
    "of a salted input; if left out drawn, and told on standard error before a node is asked",
  )
  .option("--receipt <file>", "keep the receipt in a new file")
  .option("--max-price <amount>", "what the answer may cost, in wei-scale OPG; nothing if left out")
  .option("--requester <address>", "account that asks")
  .option("--no-proof", "do not wait for the proof; marks the answer so")
  .option("--json", "for programs")
  .action(async (options: InferArguments) => {
    const { inferFor } = await import("./inferCommand.ts");
    const text = await inferFor({
      ...options,
      isColoured: isColoured(process.stdout, process.env),
    });
    process.stdout.write(text);
  });
paying("chat <message>")
  .description(
    "ask a language model, - for standard input; prints an answer that is verified, or none. Status 1 if there is none, 2 for " +
      "a wrong argument",
  )
  .requiredOption("--model <name>", "one of the pinned models")
  .option("--system <text>", "what the model is told before")
  .option("--parameter <name=json>", "of the request, such as temperature=0.2", collect)
  .option("--receipt <file>", "keep the answer's receipt, in a new file")
  .option("--idempotency-key <key>", "ask as before: for the same answer, and by the same payment")
  .option("--unverified", "take whatever comes, and say so")
  .option("--json", "for programs")
  .action(async (message: string, options: ChatArguments) => {
    const { askChat } = await import("./chatCommand.ts");
    const print = (part: string): void => void process.stdout.write(part);
    const { note, text } = await askChat(message, options, print);
    process.stdout.write(text);
    process.stderr.write(note);
  });
paying("proxy")
  .description(
    "an endpoint for OpenAI's clients on this machine, which gives on what is verified and nothing else. Callers bring the token " +
      "of HACA_PROXY_TOKEN; without it one is drawn",
  )
  .option("--port <number>", "where it listens; 0 takes a free one", "8787")
  .option("--receipts <folder>", "keep each answer's receipt there")
  .action(async (options: ProxyArguments) => {
    const { runProxy } = await import("./proxyCommand.ts");
    const { proxy, text } = await runProxy(options, process.env);
    stopAtSignals(proxy.stop);
    process.stdout.write(text);
  });
const channel = program
  .command("channel")
  .description("payment channels of a journal, which chat and proxy have opened by --route channel")
  .helpCommand(false)
  .helpOption("-h, --help", "this text");
/** A command that looks at a payer's channels. */
const paid = (name: string): Command =>
  channel
    .command(name)
    .requiredOption("--payments <folder>", "the journal that has them")
    .option("--rpc <url>", "ask this endpoint, too; all that are named have to agree", collect)
    .option("--chain <id>", "those on this chain, where the journal has several")
    .helpOption("-h, --help", "this text")
    .allowExcessArguments(false);
paid("status")
  .description("what they have on the chain. Status 1 if there is none, 2 for a wrong argument")
  .option("--json", "for programs")
  .action(async (options: ChannelsArguments) => {
    const { showChannels } = await import("./channelCommand.ts");
    const { isFound, text } = await showChannels(options);
    process.stdout.write(text);
    if (!isFound) process.exitCode = NOT_VERIFIED;
  });
paid("withdraw <channel>")
  .description(
    "begin the payer's way out of a channel, from the account of HACA_PAYER_KEY; --finish ends it, once the channel's delay is " +
      "over. Says what changes; sends nothing without --yes. The first --rpc brings the transaction. Status 1 where nothing " +
      "is to be withdrawn, 2 for a wrong argument",
  )
  .option("--amount <amount>", "OPG; all that is not claimed, if left out")
  .option("--finish", "bring what was begun to the payer")
  .option("--max-cost <ether>", "what the transaction may cost at most", "0.01")
  .option("--yes", "send it")
  .action(async (id: string, options: WithdrawArguments) => {
    const { withdrawFrom } = await import("./channelCommand.ts");
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    process.stdout.write(await withdrawFrom(id, options, { env: process.env, say }));
  });
chatting("mcp")
  .description(
    "a server of the Model Context Protocol that gives agents what is verified and nothing else, by standard input and output; with " +
      "--port by HTTP on this machine, to callers with the token of HACA_MCP_TOKEN",
  )
  .option("--port <number>", "listen there, in place of standard input; 0 takes a free one")
  .option("--receipts <folder>", "keep each answer's receipt there")
  .action(async (options: McpArguments) => {
    const { runMcp } = await import("./mcpCommand.ts");
    const { stop, text } = await runMcp(options, process.env);
    stopAtSignals(stop);
    process.stdout.write(text);
  });

/** The second signal ends the process at once. */
function stopAtSignals(stop: () => Promise<void>): void {
  const end = (): void => {
    for (const signal of SIGNALS) process.off(signal, end);
    void stop();
  };
  for (const signal of SIGNALS) process.on(signal, end);
}

try {
  if (process.argv.length === 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  fail(error);
}
