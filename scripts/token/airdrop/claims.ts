/** The airdrop on a chain: what is claimed, claiming, and what is left. */
import type { AirdropEntry } from "@haca/protocol/airdropTree";
import { airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { BaseError } from "@haca/protocol/baseError";
import {
  type Contract,
  formatUnits,
  getAddress,
  isAddress,
  type JsonRpcSigner,
  Signature,
} from "ethers";
import { type ChainSession, loadAbis, withChainSession } from "../../lib/chainSession.ts";
import { readAirdropCsv } from "../../lib/readAirdropCsv.ts";
import { sendCall } from "../../lib/sendCall.ts";
import { claimOf, sumOf } from "./tree.ts";

const WORD_BITS = 256;
/** How long the signature of a delegation, sent at once, is good for. */
const DELEGATION_SECONDS = 3600;

type Sending = { network: string; account: string; yes?: boolean };

const refuse = (code: string, message: string): never => {
  throw new BaseError({ code: `airdrop.${code}`, message });
};

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The chain's airdrop, which must be that of the file. Error: `airdrop.otherTree`. */
async function airdropOf(session: ChainSession, root?: string): Promise<Contract> {
  const airdrop = await session.contract("MerkleAirdrop", (await loadAbis()).merkleAirdropAbi);
  const deployed: string = await airdrop.getFunction("root")();
  if (root !== undefined && root !== deployed) {
    refuse(
      "otherTree",
      `the file has root ${root}, the airdrop of chain ${session.chainId} has ${deployed}`,
    );
  }
  return airdrop;
}

export async function status(options: { network: string; file: string }): Promise<void> {
  const entries = readAirdropCsv(options.file);
  await withChainSession(options.network, async (session) => {
    const airdrop = await airdropOf(session, airdropRoot(buildAirdropTree(entries)));
    const claimed: AirdropEntry[] = [];
    for (let word = 0; word * WORD_BITS < entries.length; word += 1) {
      const bitmap: bigint = await airdrop.getFunction("claimedBitmap")(word);
      entries.slice(word * WORD_BITS, (word + 1) * WORD_BITS).forEach((candidate, bit) => {
        if ((bitmap >> BigInt(bit)) & 1n) claimed.push(candidate);
      });
    }
    const deadline = Number(await airdrop.getFunction("deadline")());
    console.log(
      `${claimed.length} of ${entries.length} claimed, ${formatUnits(sumOf(claimed), 18)} of ` +
        `${formatUnits(sumOf(entries), 18)} OPG; ends ${isoTime(deadline)}`,
    );
  });
}

/** Errors: `airdrop.badAddress`, `.unknownAccount`, `.otherTree`, `.claimed`, `.ended`, `.notYours`. */
export async function claim(
  options: Sending & { file: string; address: string | undefined; delegate?: string },
): Promise<void> {
  const { file, delegate } = options;
  for (const address of [options.address, delegate]) {
    if (address !== undefined && !isAddress(address))
      refuse("badAddress", `${address} is no address`);
  }
  await withChainSession(options.network, async (session) => {
    const signer = await session.signer(options.account);
    const { index, account, amount, proof, root } = claimOf({
      file,
      address: options.address ?? signer.address,
    });
    const airdrop = await airdropOf(session, root);
    if (await airdrop.getFunction("isClaimed")(index)) {
      refuse("claimed", `the claim of ${account} is paid already; nothing sent`);
    }
    const deadline = Number(await airdrop.getFunction("deadline")());
    const now = (await session.provider.getBlock("latest"))?.timestamp ?? 0;
    if (now > deadline) refuse("ended", `the airdrop ended at ${isoTime(deadline)}`);
    if (delegate !== undefined && account !== getAddress(signer.address)) {
      refuse(
        "notYours",
        `--delegate: only ${account} can sign for its votes, not ${signer.address}`,
      );
    }
    const values = [index, account, amount, proof];
    const paid = `${formatUnits(amount, 18)} OPG go to ${account}`;
    await sendCall({
      contract: airdrop,
      signer,
      confirmation: { isDevelopment: session.isDevelopment, yes: options.yes === true },
      ...(delegate === undefined
        ? { name: "claim", values, changes: paid }
        : {
            name: "claimAndDelegate",
            values: [...values, await signDelegation({ session, signer, delegate, now })],
            changes: `${paid}, and ${getAddress(delegate)} votes with all of that account's`,
          }),
    });
  });
}

/** A delegation of `signer`'s votes, as OPG's `delegateBySig` takes it. */
async function signDelegation(parameters: {
  session: ChainSession;
  signer: JsonRpcSigner;
  delegate: string;
  now: number;
}) {
  const { session, signer, delegate, now } = parameters;
  const token = await session.contract("OPG", (await loadAbis()).opgAbi);
  const { name, version, chainId, verifyingContract } = await token.getFunction("eip712Domain")();
  const nonce: bigint = await token.getFunction("nonces")(signer.address);
  const message = { delegatee: getAddress(delegate), nonce, expiry: now + DELEGATION_SECONDS };
  const types = {
    Delegation: [
      { name: "delegatee", type: "address" },
      { name: "nonce", type: "uint256" },
      { name: "expiry", type: "uint256" },
    ],
  };
  const domain = { name, version, chainId, verifyingContract };
  const { v, r, s } = Signature.from(await signer.signTypedData(domain, types, message));
  return { ...message, v, r, s };
}

/** Errors: `airdrop.notEnded`, `airdrop.nothingLeft`. */
export async function sweep(options: Sending): Promise<void> {
  await withChainSession(options.network, async (session) => {
    const airdrop = await airdropOf(session);
    const token = await session.contract("OPG", (await loadAbis()).opgAbi);
    const deadline = Number(await airdrop.getFunction("deadline")());
    const now = (await session.provider.getBlock("latest"))?.timestamp ?? 0;
    if (now <= deadline) refuse("notEnded", `the airdrop runs until ${isoTime(deadline)}`);
    const left: bigint = await token.getFunction("balanceOf")(await airdrop.getAddress());
    if (left === 0n) refuse("nothingLeft", "the airdrop holds nothing; nothing sent");
    await sendCall({
      contract: airdrop,
      signer: await session.signer(options.account),
      name: "sweep",
      values: [],
      changes: `${formatUnits(left, 18)} OPG go to ${await airdrop.getFunction("leftoversTo")()}`,
      confirmation: { isDevelopment: session.isDevelopment, yes: options.yes === true },
    });
  });
}
