import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHaca } from "@haca/sdk/client/createHaca";
import { whatIsMissing } from "@haca/sdk/isVerified";
import { readFeed } from "@haca/sdk/readFeed";
import { parseReceipt } from "@haca/sdk/receipt/parseReceipt";
import type { Receipt } from "@haca/sdk/receipt/receipt";
import { serialiseReceipt } from "@haca/sdk/receipt/serialiseReceipt";
import { receiptId } from "@haca/sdk/typedData";
import { verify } from "@haca/sdk/verify";
import { z } from "zod";
import { dailyReturns } from "./dailyReturns.ts";
import type { Settings } from "./settings.ts";

/** Smaller changes are not worth a trade. */
const LEAST_CHANGE = 0.05;

const reviewSchema = z.strictObject({
  approve: z.boolean(),
  // It is printed: words, and nothing that moves a terminal's cursor.
  reason: z
    .string()
    .max(500)
    .regex(/^\P{C}*$/u),
});

/** What the agent would do, and what it knows it by. */
export type Decision = {
  action: "hold" | "buy" | "sell";
  /** share of the portfolio that is bought or sold */
  share: number;
  reason: string;
  price: number;
  round: string;
  /** as of which the price was read */
  block: string;
  /** basis points a day */
  forecast: number;
  /** ids of the receipts, which are in the folder */
  receipts: string[];
};

/**
 * Reads the feed, has the forecaster forecast the volatility and the language model review the trade that follows from it. Each
 * receipt is kept before its answer is used, and all are verified again as they lie in the folder before anything is decided.
 * It trades nothing: a decision is what it would do.
 * @throws whatever keeps an answer from being relied on, with the reason as its message
 */
export async function runAgent(settings: Settings, say: (line: string) => void): Promise<Decision> {
  const { chainId, forecaster, language, pins, portfolio, rpcs } = settings;
  const { maxAge, reader, rounds } = settings.feed;
  const haca = createHaca({ chainId, rpcs, pins });

  const feed = await readFeed({ feed: reader, chainId, rpcs, maxAge, rounds });
  const [latest] = feed.rounds;
  const price = Number(latest.answer) / 10 ** feed.decimals;
  say(`price ${price}, round ${latest.round} (${feed.source})`);

  const { days, returnLimit: limit } = forecaster;
  const input = dailyReturns({ rounds: feed.rounds, days, limit });
  const inference = await haca.infer({
    ...{ model: forecaster.model, nodes: forecaster.nodes, input },
    onProgress: say,
  });
  const receipts = [{ model: forecaster.model, id: keep(settings, inference.receipt) }];
  const forecast = inference.outputs[0]?.[0];
  if (forecast === undefined || forecast <= 0) {
    throw new RangeError(`the forecast is no volatility: ${forecast}`);
  }
  say(`forecast ${forecast} basis points a day, proved; receipt ${receipts[0]?.id}`);

  const wanted = Math.min(1, portfolio.targetVolatility / forecast);
  const change = wanted - portfolio.held;
  const { mandate, held, targetVolatility } = portfolio;
  const proposal = { price, forecast, targetVolatility, held, wanted };
  const reply = await haca.chat({
    ...{ model: language.model, nodes: language.nodes },
    messages: [
      {
        role: "system",
        content: `You review trades against a mandate: ${mandate}\nAnswer with JSON alone: {"approve": true or false, "reason": "one sentence"}`,
      },
      { role: "user", content: JSON.stringify(proposal) },
    ],
  });
  // Only answers that nobody wanted verified have none.
  if (reply.receipt === null) throw new TypeError("the review has no receipt");
  receipts.push({ model: language.model, id: keep(settings, reply.receipt) });
  const review = readReview(reply.text);
  say(`review: ${review.approve ? "approved" : "not approved"}; receipt ${receipts[1]?.id}`);

  for (const receipt of receipts) await requireKept(settings, receipt);
  const block = feed.asOf.type === "block" ? feed.asOf.hash : "";
  const isWorthIt = review.approve && Math.abs(change) >= LEAST_CHANGE;
  const decision: Decision = {
    action: !isWorthIt ? "hold" : change > 0 ? "buy" : "sell",
    share: isWorthIt ? Math.abs(change) : 0,
    reason: review.approve && !isWorthIt ? "the change is too small" : review.reason,
    ...{ price, round: String(latest.round), block, forecast },
    receipts: receipts.map(({ id }) => id),
  };
  const line = JSON.stringify({ at: new Date().toISOString(), ...decision });
  appendFileSync(join(settings.receipts, "decisions.jsonl"), `${line}\n`);
  return decision;
}

const fileOf = ({ receipts }: Settings, id: string): string => join(receipts, `${id}.json`);

/** Writes a receipt before its answer is used. */
function keep(settings: Settings, receipt: Receipt): string {
  const id = receiptId(receipt.core);
  mkdirSync(settings.receipts, { recursive: true });
  writeFileSync(fileOf(settings, id), serialiseReceipt(receipt));
  return id;
}

/** What is in the folder is what can be shown to others later: it has to hold without anything beside it. */
async function requireKept(settings: Settings, kept: { id: string; model: string }): Promise<void> {
  const { pins, rpcs } = settings;
  const bytes = readFileSync(fileOf(settings, kept.id));
  if (receiptId(parseReceipt(bytes).core) !== kept.id) {
    throw new Error(`receipt ${kept.id} is another one in the folder`);
  }
  const missing = whatIsMissing(await verify(bytes, { pins, rpcs, model: kept.model }));
  if (missing.length > 0) {
    throw new Error(`receipt ${kept.id} is not verified, for: ${missing.join(", ")}`);
  }
}

function readReview(text: string): z.infer<typeof reviewSchema> {
  try {
    return reviewSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error("the review is not the JSON that was asked for", { cause });
  }
}
