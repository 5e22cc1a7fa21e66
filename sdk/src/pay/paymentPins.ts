import { optionError, requireKnown } from "../client/optionError.ts";
import type { Route } from "../client/payer.ts";

/** What a payer knows beforehand of whom and by what it pays. A node's offer has to be of these. */
export type PaymentPins = {
  chainId: bigint | number | string;
  /** the only one that is spent, and what all amounts are in; name and version are its EIP-712 domain's */
  token: { address: string; name: string; version: string };
  /** InferenceEscrow, which holds the money of the route `escrow` */
  escrow?: string;
  /** accounts that may be paid; of the route `escrow` any, if left out */
  payees?: readonly string[];
  /** gates that channels may be with (`npm run escrow -- gate` says whose one is); needed by the route `channel` */
  gates?: readonly string[];
  /** operators of the public escrow that may be paid (`npm run escrow -- operator` says whose one is); needed by the route `commerce` */
  operators?: readonly string[];
};

/** The token of every deployment. */
const OPG_DOMAIN = { name: "OPG", version: "1" } as const;
/** Whether what is paid can be compared with prices that are said of nodes, which are in OPG. */
export const isInOpg = ({ token }: Pick<PaymentPins, "token">): boolean =>
  token.name === OPG_DOMAIN.name;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const FIELDS = ["chainId", "token", "escrow", "payees", "gates", "operators"];

/**
 * The chain, OPG and the escrow of a deployment file.
 * @throws BaseError `option.wrong`, where the file has no OPG, or is none
 */
export function pinsOfDeployment(text: string): PaymentPins {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw optionError("deployment", "is not JSON");
  }
  const contracts = fieldOf(file, "contracts");
  const addressOf = (name: string): unknown => fieldOf(fieldOf(contracts, name), "address");
  const [chainId, token, escrow] = [
    fieldOf(file, "chainId"),
    addressOf("OPG"),
    addressOf("InferenceEscrow"),
  ];
  if (typeof token !== "string") throw optionError("deployment", "has no OPG");
  const pins = { chainId: chainId as string, token: { address: token, ...OPG_DOMAIN } };
  return escrow === undefined ? pins : { ...pins, escrow: escrow as string };
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

/** Pins that were looked at: addresses in lower case. */
export type ReadPins = {
  chainId: string;
  token: PaymentPins["token"];
  escrow: string | undefined;
  payees: readonly string[] | undefined;
  gates: readonly string[] | undefined;
  operators: readonly string[] | undefined;
};

/** @throws BaseError `option.wrong` */
export function readPaymentPins(pins: PaymentPins, routes: readonly Route[]): ReadPins {
  requireKnown(pins, FIELDS);
  const { escrow, gates, operators, payees, token } = pins;
  const chainId = String(pins.chainId);
  // Wallets take a chain as a number.
  if (!/^[1-9]\d{0,14}$/.test(chainId)) throw optionError("pins.chainId", "must be a whole number");
  const { address, name, version } = token;
  if (typeof name !== "string" || typeof version !== "string") {
    throw optionError("pins.token", "must have name and version of its EIP-712 domain");
  }
  if (routes.includes("escrow") && escrow === undefined) {
    throw optionError("pins.escrow", "is needed to pay by the escrow");
  }
  if (routes.includes("exact") && (payees ?? []).length === 0) {
    throw optionError("pins.payees", "are needed to pay by exact: nobody holds that money");
  }
  if (routes.includes("channel") && (gates ?? []).length === 0) {
    throw optionError("pins.gates", "are needed to pay by channel: what is no gate claims at will");
  }
  if (routes.includes("commerce") && (operators ?? []).length === 0) {
    throw optionError("pins.operators", "are needed to pay by commerce: whoever is named captures");
  }
  return {
    chainId,
    token: { address: lower(address, "pins.token.address"), name, version },
    escrow: escrow === undefined ? undefined : lower(escrow, "pins.escrow"),
    payees: payees?.map((payee) => lower(payee, "pins.payees")),
    gates: gates?.map((gate) => lower(gate, "pins.gates")),
    operators: operators?.map((operator) => lower(operator, "pins.operators")),
  };
}

function lower(address: unknown, option: string): string {
  if (typeof address === "string" && ADDRESS.test(address)) return address.toLowerCase();
  throw optionError(option, "must be an address");
}
