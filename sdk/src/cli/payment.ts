import type { Payer, PaymentTerms, Route } from "../client/payer.ts";
import { createPayer } from "../pay/createPayer.ts";
import { keySigner } from "../pay/keySigner.ts";
import { paymentPinsIn } from "./arguments.ts";
import { paymentFolder } from "./paymentFolder.ts";
import { UsageError } from "./readInput.ts";

/** Where the payer's key comes from; on a command line others would see it. */
const KEY = "HACA_PAYER_KEY";
const DECIMALS = 18;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** Arguments of commands that may pay. */
export type PaymentArguments = {
  pay?: string;
  budget?: string;
  deployment?: string;
  route?: readonly string[];
  payee?: readonly string[];
  payments?: string;
};

/** Those that say nothing without `--pay`. */
const WITH_PAY = ["budget", "route", "payee", "payments"] as const;

/**
 * Who pays what a command's arguments allow; nobody without `--pay`.
 * @param parameters.say told of each payment before it is signed
 * @throws BaseError `haca.usage`, `option.wrong`
 */
export async function payerOf(
  options: PaymentArguments,
  { env, say }: { env: NodeJS.ProcessEnv; say: (line: string) => void },
): Promise<Payer | undefined> {
  const { budget, deployment, pay, payee: payees, payments, route = ["escrow"] } = options;
  if (pay === undefined) {
    const idle = WITH_PAY.find((name) => options[name] !== undefined);
    if (idle === undefined) return undefined;
    throw new UsageError(`--${idle}: says nothing without --pay`);
  }
  if (budget === undefined) throw new UsageError("--budget: say what all calls may cost together");
  if (deployment === undefined) {
    throw new UsageError("--deployment: name the file with the addresses of OPG and the escrow");
  }
  const wrong = payees?.find((payee) => !ADDRESS.test(payee));
  if (wrong !== undefined) throw new UsageError(`--payee: must be an address, got ${wrong}`);
  const other = route.find((name) => name !== "escrow" && name !== "exact");
  if (other !== undefined) throw new UsageError(`--route: must be escrow or exact, got ${other}`);
  if (route.length > 1 && payments === undefined) {
    throw new UsageError(
      "--payments: is needed with two routes, so that no answer is paid by both",
    );
  }
  const caps = { maxPerCall: unitsOf("pay", pay), maxPerSession: unitsOf("budget", budget) };
  const pins = await paymentPinsIn(deployment);
  return createPayer({
    ...{ ...caps, signer: signerIn(env), routes: route as Route[] },
    pins: { ...pins, ...(payees === undefined ? {} : { payees }) },
    ...(payments === undefined ? {} : { journal: paymentFolder(payments) }),
    onPayment: (terms) => say(wordsOn(terms)),
  });
}

function signerIn(env: NodeJS.ProcessEnv): ReturnType<typeof keySigner> {
  const key = env[KEY] ?? "";
  if (key === "")
    throw new UsageError(`${KEY}: set it to the private key of the account that pays`);
  try {
    return keySigner(key);
  } catch {
    throw new UsageError(`${KEY}: must be a private key, 64 hex digits`);
  }
}

/** Smallest units of an amount of OPG. */
function unitsOf(option: string, text: string): bigint {
  const [, whole = "", part = ""] = /^(\d{1,20})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  if (whole !== "") return BigInt(whole + part.padEnd(DECIMALS, "0"));
  throw new UsageError(`--${option}: must be an amount of OPG such as 0.05, got ${text}`);
}

/** An amount of OPG, of its smallest units. */
export function opgOf(units: string): string {
  const digits = units.padStart(DECIMALS + 1, "0");
  const part = digits.slice(-DECIMALS).replace(/0+$/, "");
  return `${digits.slice(0, -DECIMALS)}${part === "" ? "" : `.${part}`} OPG`;
}

function wordsOn({ escrow, most, node, payee, route }: PaymentTerms): string {
  const how =
    route === "escrow"
      ? `held by the escrow ${escrow} until the result is settled, for ${payee}`
      : `to ${payee} at once`;
  return `paying ${opgOf(most)} at most for an answer of ${new URL(node).host}, ${how}`;
}
