/** `npm run pages -- …`: pages of results, for proposers and for whoever watches them. */
import { createProgram, runProgram, withAccount, withChain, withSending } from "../lib/program.ts";

const program = createProgram({
  name: "pages",
  summary: "Pages of results: deposits, what became of a page, challenges.",
}).addHelpText(
  "after",
  `
A page is named by its id, which \`list\` shows. Commands that read its results
ask HACA_BLOB_AGGREGATOR (default: http://127.0.0.1:8090) for its blob.`,
);

withChain(program.command("list"))
  .description("every page, what became of it, and until when it can be challenged")
  .option("--from-block <number>", "first block that is read", "0")
  .action(async (options) => (await import("./show.ts")).listPages(options));

withChain(program.command("show"))
  .description("one page: what it took, who answers for it with what")
  .argument("<page>")
  .action(async (page: string, options) =>
    (await import("./show.ts")).showPage({ ...options, page }),
  );

withAccount(program.command("account"))
  .description("what an account has in PageSettlement, and how many pages it answers for")
  .argument("[address]", "default: the network's account")
  .action(async (address: string | undefined, options) =>
    (await import("./accounts.ts")).showAccount({ ...options, address }),
  );

withSending(program.command("deposit"))
  .description("leave OPG that answers for pages, or pays for requests and demands")
  .argument("<amount>", "of OPG")
  .option("--for <address>", "whose account (default: the sender's)")
  .action(async (amount: string, options) =>
    (await import("./accounts.ts")).deposit({ ...options, amount }),
  );

withSending(program.command("withdraw"))
  .description("take OPG out of one's account; not while it answers for a page")
  .argument("<amount>", "of OPG, or all")
  .option("--to <address>", "who gets it (default: the sender)")
  .action(async (amount: string, options) =>
    (await import("./accounts.ts")).withdraw({ ...options, amount }),
  );

withSending(program.command("burn-forfeits"))
  .description("burn what was forfeited and is nobody's; anyone may")
  .action(async (options) => (await import("./accounts.ts")).burnForfeits(options));

withChain(program.command("check"))
  .description("read a page's results and ask the contract about every one of them")
  .argument("<page>")
  .action(async (page: string, options) =>
    (await import("./challenge.ts")).checkPage({ ...options, page }),
  );

withSending(program.command("challenge"))
  .description("show that a page has a wrong result: commits, waits a block, challenges")
  .argument("<page>")
  .action(async (page: string, options) =>
    (await import("./challenge.ts")).challengePage({ ...options, page }),
  );

withSending(program.command("request"))
  .description("ask for a result that cannot be read; takes a deposit from one's account")
  .argument("<page>")
  .argument("<index>", "its place, 0 to 255")
  .action(async (page: string, index: string, options) =>
    (await import("./leaves.ts")).requestLeaf({ ...options, page, index }),
  );

withSending(program.command("answer"))
  .description("show results that somebody asked for, and take the deposits; anyone may")
  .argument("<page>")
  .action(async (page: string, options) =>
    (await import("./leaves.ts")).answerLeaves({ ...options, page }),
  );

withSending(program.command("reject"))
  .description("reject a page of which a result or a proof was not shown in time; anyone may")
  .argument("<page>")
  .argument("<index>", "the place that was asked for")
  .action(async (page: string, index: string, options) =>
    (await import("./leaves.ts")).rejectUnanswered({ ...options, page, index }),
  );

withSending(program.command("return"))
  .description("give deposits back of requests whose page was rejected; anyone may")
  .argument("<page>")
  .argument("<index>", "the place that was asked for")
  .action(async (page: string, index: string, options) =>
    (await import("./leaves.ts")).returnDeposits({ ...options, page, index }),
  );

withSending(program.command("admit"))
  .description("open a version to optimistic pages, by a request that was proved; anyone may")
  .argument("<request>", "settled by a proof, with a price")
  .action(async (request: string, options) =>
    (await import("./demands.ts")).admitVersion({ ...options, request }),
  );

withSending(program.command("demand"))
  .description("demand the proof of an optimistic result; takes 50 OPG from one's account")
  .argument("<page>")
  .argument("<index>", "its place, 0 to 255")
  .action(async (page: string, index: string, options) =>
    (await import("./demands.ts")).demandProof({ ...options, page, index }),
  );

withSending(program.command("prove"))
  .description("give a proof that was demanded, or of a rejected page's result; anyone may")
  .argument("<page>")
  .argument("<index>", "its place, 0 to 255")
  .argument("<proof>", "proof.json of snarkjs")
  .argument("<signals>", "public.json of snarkjs")
  .action(async (page: string, index: string, proof: string, signals: string, options) =>
    (await import("./demands.ts")).proveLeaf({ ...options, page, index, proof, signals }),
  );

withSending(program.command("release"))
  .description("free the bonds of pages that nothing can be shown against; anyone may")
  .argument("<page...>")
  .action(async (pages: string[], options) =>
    (await import("./afterwards.ts")).releaseBonds({ ...options, pages }),
  );

withSending(program.command("settle-again"))
  .description("settle a good result of a rejected page, alone; anyone may")
  .argument("<page>")
  .argument("<index>", "its place, 0 to 255")
  .action(async (page: string, index: string, options) =>
    (await import("./afterwards.ts")).settleAgain({ ...options, page, index }),
  );

await runProgram(program);
