import { BaseError } from "@haca/protocol/baseError";
import { optionError } from "../client/optionError.ts";
import { recoverAccount } from "../signatures.ts";
import { domainFieldsOf, hashTypedData, type TypedData } from "./hashTypedData.ts";

/**
 * An account that signs typed data: by one argument `{ domain, types, primaryType, message }`, as viem's do, or by three, domain,
 * types and message, as those of ethers do.
 */
export type AccountSigner = {
  address: string;
  signTypedData: (...parts: never[]) => Promise<string>;
};

/** A wallet by EIP-1193, as pages have one. */
export type WalletProvider = {
  request: (call: { method: string; params?: readonly unknown[] }) => Promise<unknown>;
};

export type Signer = AccountSigner | WalletProvider;

/** A signer, whichever it is. */
export type ReadSigner = {
  /** in lower case */
  account: () => Promise<string>;
  sign: (account: string, data: TypedData) => Promise<string>;
};

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const SIGNATURE = /^0x(?:[0-9a-f]{2})+$/;
const KEY_SIGNATURE_DIGITS = 2 + 2 * 65;
/** Arguments of who takes domain, types and message apart. */
const APART = 3;

/** @throws BaseError `option.wrong` */
export function readSigner(signer: Signer): ReadSigner {
  if (typeof signer !== "object" || signer === null) throw wrong();
  if ("signTypedData" in signer && typeof signer.signTypedData === "function") {
    if (!ADDRESS.test(signer.address)) throw optionError("signer.address", "must be an address");
    return ofAccount(signer);
  }
  if ("request" in signer && typeof signer.request === "function") return ofWallet(signer);
  throw wrong();
}

const wrong = () =>
  optionError("signer", "must be a wallet by EIP-1193, or have address and signTypedData");

function ofAccount(signer: AccountSigner): ReadSigner {
  const signTypedData = signer.signTypedData.bind(signer) as (
    ...parts: unknown[]
  ) => Promise<string>;
  const isApart = signer.signTypedData.length >= APART;
  return {
    account: async () => signer.address.toLowerCase(),
    sign: (account, data) =>
      signed(account, data, () =>
        isApart ? signTypedData(data.domain, data.types, data.message) : signTypedData(data),
      ),
  };
}

function ofWallet(wallet: WalletProvider): ReadSigner {
  const accounts = async (method: string): Promise<unknown> => {
    const answer = await wallet.request({ method });
    return Array.isArray(answer) ? answer[0] : undefined;
  };
  return {
    async account() {
      try {
        const account = (await accounts("eth_accounts")) ?? (await accounts("eth_requestAccounts"));
        if (typeof account === "string" && ADDRESS.test(account)) return account.toLowerCase();
      } catch (cause) {
        throw notSigned("the wallet shows no account", cause);
      }
      throw notSigned("the wallet shows no account");
    },
    sign: (account, data) =>
      signed(account, data, () => {
        const types = { EIP712Domain: domainFieldsOf(data.domain), ...data.types };
        const text = JSON.stringify({ ...data, types });
        return wallet.request({ method: "eth_signTypedData_v4", params: [account, text] });
      }),
  };
}

/** A signature of the payer's, and of what was to be signed, as far as that can be said without a chain. */
async function signed(
  account: string,
  data: TypedData,
  sign: () => Promise<unknown>,
): Promise<string> {
  let answer: unknown;
  try {
    answer = await sign();
  } catch (cause) {
    throw notSigned("the signer did not sign", cause);
  }
  const signature = typeof answer === "string" ? withUsualV(answer.toLowerCase()) : "";
  if (!SIGNATURE.test(signature)) throw notSigned("the signer answers no signature");
  // What a contract has signed the chain alone knows.
  if (signature.length !== KEY_SIGNATURE_DIGITS) return signature;
  if (accountIn(data, signature) === account) return signature;
  throw notSigned("the signer has signed something else, or as somebody else");
}

/** Some wallets count v from 0. */
const withUsualV = (signature: string): string =>
  signature.length === KEY_SIGNATURE_DIGITS
    ? signature.replace(/0[01]$/, (v) => (v === "00" ? "1b" : "1c"))
    : signature;

function accountIn(data: TypedData, signature: string): string | undefined {
  try {
    return recoverAccount(hashTypedData(data), signature);
  } catch {
    return undefined;
  }
}

const notSigned = (reason: string, cause?: unknown): BaseError =>
  new BaseError({
    ...{ code: "payment.notSigned", cause },
    message: `${reason}; nothing was paid`,
  });
