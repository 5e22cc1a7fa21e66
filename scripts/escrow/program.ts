import type { Command } from "commander";
import { createProgram, withAccount, withChain, withSafe } from "../lib/program.ts";

/** The command line of `npm run escrow`; each one is run once. */
export function escrowProgram(): Command {
  const program = createProgram({
    name: "escrow",
    summary: "Payments that wait for a settled result. Says in words what changes before it sends.",
  }).addHelpText(
    "after",
    `
A job is named by its id, which open prints and events and the indexer have. A
payer signs a permit for x402's proxy, offline and without ether; anybody brings
it. What is not captured by its deadline goes back to the payer, by anybody's
refund (docs/payments.md).`,
  );

  withChain(program.command("status"))
    .description("a job, or all jobs and credits of a payer, the oldest first")
    .argument("<job-or-payer>", "a job's id, 32 bytes of hex, or a payer's address")
    .option("--json", "one JSON object, for programs")
    .action(async (subject: string, options) =>
      (await import("./status.ts")).status({ ...options, subject }),
    );

  withSafe(program.command("approve"))
    .description("let Permit2 move tokens of the account that its permits name; needed once")
    .argument("<amount>", "of the token, as much as all permits together, or 0")
    .option("--token <address>", "(default: OPG)")
    .action(async (amount: string, options) =>
      (await import("./approve.ts")).approve({ ...options, amount }),
    );

  withAccount(program.command("permit"))
    .description("sign a payer's permit for a job, and write it to a file; sends nothing")
    .requiredOption("--node <id>", "whose result captures it: address, or an enclave's 32 bytes")
    .requiredOption("--payee <address>", "who is paid the result's price, less the fee")
    .requiredOption("--request <hash>", "the request's hash, as the result has it")
    .requiredOption("--amount <number>", "of the token, all of which is held; the rest returns")
    .requiredOption("--out <file>", "where it is written; nothing is overwritten")
    .option("--token <address>", "(default: OPG)")
    .option("--kinds <list>", "of zkml, tee, tee-page, optimistic-page", "tee,tee-page")
    .option("--window <seconds>", "from opening to deadline (default: the shortest)")
    .option("--valid <seconds>", "for how long it can be brought", "3600")
    .action(async (options) => (await import("./permit.ts")).permit(options));

  withSafe(program.command("open"))
    .description("bring a payer's permit: the tokens are held from then on")
    .argument("<file>", "that permit wrote")
    .action(async (file: string, options) =>
      (await import("./open.ts")).open({ ...options, file }),
    );

  withSafe(program.command("capture"))
    .description("show the result of a job that was settled alone: payee and fee are paid")
    .argument("<job>")
    .argument("<request>", "the request's id, 32 bytes of hex")
    .action(async (job: string, request: string, options) =>
      (await import("./capture.ts")).capture({ ...options, job, request }),
    );

  withSafe(program.command("capture-page"))
    .description("the same with a result in a page that is final; its blob is read")
    .argument("<job>")
    .argument("<page>", "the page's id")
    .argument("<index>", "of the result, 0 to 255")
    .action(async (job: string, page: string, index: string, options) =>
      (await import("./capture.ts")).captureFromPage({ ...options, job, page, index }),
    );

  for (const [name, description] of [
    ["refund", "give a payer everything back, from the deadline on; anybody may"],
    ["cancel", "the same before it, by the node or the payee"],
  ] as const) {
    withSafe(program.command(name))
      .description(description)
      .argument("<job>")
      .action(async (job: string, options) =>
        (await import("./giveBack.ts")).giveBack({ ...options, job, verb: name }),
      );
  }

  withSafe(program.command("withdraw"))
    .description("take what a failed transfer left the account")
    .option("--from <address>", "a gate or an operator that owes it (default: the escrow)")
    .option("--token <address>", "(default: the operator's, OPG elsewhere)")
    .option("--to <address>", "who gets it (default: the account)")
    .action(async (options) => (await import("./withdraw.ts")).withdraw(options));

  withSafe(program.command("open-gate"))
    .description("make the gate of a node, where its payment channels are paid; anybody may")
    .requiredOption("--node <id>", "whose results count: address, or an enclave's 32 bytes")
    .requiredOption("--payee <address>", "who is paid what they cost, less the fee of now")
    .option("--kinds <list>", "of zkml, tee, tee-page, optimistic-page", "tee,tee-page")
    .action(async (options) => (await import("./gate.ts")).openGate(options));

  withChain(program.command("gate"))
    .description("a gate of payment channels: whose it is, whom it pays, and what it owes")
    .argument("<address>")
    .option("--json", "one JSON object, for programs")
    .action(async (address: string, options) =>
      (await import("./gate.ts")).gate({ ...options, gate: address }),
    );

  addChannels(program);

  withSafe(program.command("create-operator"))
    .description("make the operator of a node for payments in the public escrow; anybody may")
    .requiredOption("--node <id>", "whose results capture: address, or an enclave's 32 bytes")
    .requiredOption("--payee <address>", "who is paid what they cost, less the fee of now")
    .option("--token <address>", "in which (default: OPG)")
    .option("--kinds <list>", "of zkml, tee, tee-page, optimistic-page", "tee,tee-page")
    .action(async (options) => (await import("./operator.ts")).createOperator(options));

  withChain(program.command("operator"))
    .description("an operator of payments in the public escrow: whose it is, and what it owes")
    .argument("<address>")
    .option("--json", "one JSON object, for programs")
    .action(async (address: string, options) =>
      (await import("./operator.ts")).operator({ ...options, operator: address }),
    );

  return program;
}

function addChannels(program: Command): void {
  withChain(program.command("channels"))
    .description("the channels of a gate: what is in them, counted, claimed, and asked back")
    .argument("<gate>")
    .option("--json", "one JSON object, for programs")
    .action(async (gate: string, options) =>
      (await import("./channels.ts")).channels({ ...options, gate }),
    );

  withSafe(program.command("count"))
    .description("count results of a gate's channels that were settled alone; anybody may")
    .argument("<gate>")
    .action(async (gate: string, options) =>
      (await import("./countResults.ts")).countResults({ ...options, gate }),
    );

  withSafe(program.command("count-page"))
    .description("the same with the results in a page that is final; its blob is read")
    .argument("<gate>")
    .argument("<page>", "the page's id")
    .action(async (gate: string, page: string, options) =>
      (await import("./countResults.ts")).countPage({ ...options, gate, page }),
    );

  withSafe(program.command("claim"))
    .description("claim by vouchers what was counted, and have it paid out; anybody may")
    .argument("<gate>")
    .requiredOption("--journal <file>", "the gateway's channels.journal; it is only read")
    .action(async (gate: string, options) =>
      (await import("./claimChannels.ts")).claim({ ...options, gate }),
    );

  withSafe(program.command("collect"))
    .description("have paid out what somebody has claimed and left; anybody may")
    .argument("<gate>")
    .option("--token <address>", "(default: OPG)")
    .action(async (gate: string, options) =>
      (await import("./claimChannels.ts")).collect({ ...options, gate }),
    );

  withSafe(program.command("refund-channel"))
    .description("give a channel's payer back what is not claimed; the node or the payee")
    .argument("<channel>", "the channel's id, 32 bytes of hex")
    .option("--amount <number>", "of the token (default: what was not counted)")
    .action(async (channel: string, options) =>
      (await import("./refundChannel.ts")).refundChannel({ ...options, channel }),
    );
}
