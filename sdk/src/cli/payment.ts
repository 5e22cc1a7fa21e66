import type { Payer, PaymentTerms, Route } from "../client/payer.ts";
import { createPayer } from "../pay/createPayer.ts";
import { keyOf, keySigner } from "../pay/keySigner.ts";
import { paymentPinsIn } from "./arguments.ts";
import { paymentFolder } from "./paymentFolder.ts";
import { UsageError } from "./readInput.ts";

/** Where the payer's key comes from; on a command line others would see it. */
const KEY = "HACA_PAYER_KEY";
const DECIMALS = 18;
const ROUTES: readonly string[] = ["escrow", "exact", "commerce", "channel"];
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** Arguments of commands that may pay. */
export type PaymentArguments = {
  pay?: string;
  budget?: string;
  deployment?: string;
  route?: readonly string[];
  payee?: readonly string[];
  operator?: readonly string[];
  gate?: readonly string[];
  deposit?: string;
  payments?: string;
};

/** Those that say nothing without `--pay`. */
const WITH_PAY = ["budget", "route", "payee", "operator", "gate", "deposit", "payments"] as const;

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
  requireAddresses("payee", payees);
  const other = route.find((name) => !ROUTES.includes(name));
  if (other !== undefined) {
    throw new UsageError(`--route: must be escrow, exact, commerce or channel, got ${other}`);
  }
  const channel = channelOptions(options, route);
  const operators = operatorsIn(options, route);
  if (route.length > 1 && payments === undefined) {
    throw new UsageError(
      "--payments: is needed with two routes, so that no answer is paid by both",
    );
  }
  const caps = { maxPerCall: unitsOf("pay", pay), maxPerSession: unitsOf("budget", budget) };
  const pins = await paymentPinsIn(deployment);
  return createPayer({
    ...{ ...caps, signer: signerIn(env), routes: route as Route[] },
    pins: { ...pins, ...(payees && { payees }), ...operators, ...channel.pins },
    ...channel.options,
    ...(payments === undefined ? {} : { journal: paymentFolder(payments) }),
    onPayment: (terms) => say(wordsOn(terms)),
  });
}

/** @throws UsageError */
function requireAddresses(option: string, addresses: readonly string[] | undefined): void {
  const wrong = addresses?.find((address) => !ADDRESS.test(address));
  if (wrong !== undefined) throw new UsageError(`--${option}: must be an address, got ${wrong}`);
}

/** What `--operator` says of the route `commerce`. @throws UsageError */
function operatorsIn(
  { operator: operators, payments }: PaymentArguments,
  route: readonly string[],
): { operators?: readonly string[] } {
  if (!route.includes("commerce")) {
    if (operators === undefined) return {};
    throw new UsageError("--operator: is for --route commerce");
  }
  if (operators === undefined) {
    throw new UsageError("--operator: name the operators that may be paid");
  }
  requireAddresses("operator", operators);
  if (payments === undefined) {
    throw new UsageError(
      "--payments: is needed to pay by commerce, so that no answer is paid twice",
    );
  }
  return { operators };
}

/** What `--gate` and `--deposit` say of channels. @throws UsageError */
function channelOptions(
  { deposit, gate: gates, payments }: PaymentArguments,
  route: readonly string[],
): { pins?: { gates: readonly string[] }; options?: { channelDeposit: bigint } } {
  if (!route.includes("channel")) {
    const idle = gates === undefined ? deposit && "deposit" : "gate";
    if (idle) throw new UsageError(`--${idle}: is for --route channel`);
    return {};
  }
  if (route.length > 1) throw new UsageError("--route: channel goes with no other one");
  if (gates === undefined) throw new UsageError("--gate: name the gates that channels may be with");
  requireAddresses("gate", gates);
  if (deposit === undefined) {
    throw new UsageError("--deposit: say what comes into a channel when it has too little");
  }
  if (payments === undefined) throw new UsageError("--payments: is needed to pay by channel");
  return { pins: { gates }, options: { channelDeposit: unitsOf("deposit", deposit) } };
}

const signerIn = (env: NodeJS.ProcessEnv): ReturnType<typeof keySigner> =>
  keySigner(payerKeyIn(env));

/** The payer's key, which is one. @throws UsageError, which does not show it */
export function payerKeyIn(env: NodeJS.ProcessEnv): string {
  const key = env[KEY] ?? "";
  if (key === "")
    throw new UsageError(`${KEY}: set it to the private key of the account that pays`);
  try {
    keyOf(key);
    return key;
  } catch {
    throw new UsageError(`${KEY}: must be a private key, 64 hex digits`);
  }
}

/** Smallest units of an amount of OPG, or of ether. @throws UsageError */
export function unitsOf(option: string, text: string, unit = "OPG"): bigint {
  const [, whole = "", part = ""] = /^(\d{1,20})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  if (whole !== "") return BigInt(whole + part.padEnd(DECIMALS, "0"));
  throw new UsageError(`--${option}: must be an amount of ${unit} such as 0.05, got ${text}`);
}

/** An amount of OPG, of its smallest units. */
export const opgOf = (units: string): string => `${decimalOf(units)} OPG`;

/** The same without its name. */
export function decimalOf(units: string): string {
  const digits = units.padStart(DECIMALS + 1, "0");
  const part = digits.slice(-DECIMALS).replace(/0+$/, "");
  return `${digits.slice(0, -DECIMALS)}${part === "" ? "" : `.${part}`}`;
}

function wordsOn({ deposit, escrow, most, node, operator, payee, route }: PaymentTerms): string {
  const how = {
    escrow: `held by the escrow ${escrow} until the result is settled, for ${payee}`,
    exact: `to ${payee} at once`,
    commerce: `held by the public escrow ${escrow} until the result is settled, for ${payee}, by the operator ${operator}`,
    channel: `by a voucher for the gate ${escrow}${deposit === undefined ? "" : `, with a deposit of ${opgOf(deposit)}`}`,
  }[route];
  return `paying ${opgOf(most)} at most for an answer of ${new URL(node).host}, ${how}`;
}
