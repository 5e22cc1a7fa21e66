/** The airdrop on a chain: what is claimed, claiming, and what is left. */
import type { AirdropEntry } from "@haca/protocol/airdropTree";
import { airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, type JsonRpcSigner, Signature } from "ethers";
import { type ChainSession, withChainSession } from "../../lib/chainSession.ts";
import type { ContractOf } from "../../lib/contracts.ts";
import { readAirdropCsv } from "../../lib/readAirdropCsv.ts";
import { sendCall } from "../../lib/sendCall.ts";
import { isoTime, opg } from "../../lib/words.ts";
import { claimOf, sumOf } from "./tree.ts";

const WORD_BITS = 256;
/** How long the signature of a delegation, sent at once, is good for. */
const DELEGATION_SECONDS = 3600;

type Sending = { network: string; account: string; yes?: boolean };

const refuse = (code: string, message: string): never => {
  throw new BaseError({ code: `airdrop.${code}`, message });
};

/** The chain's airdrop, which must be that of the file. Error: `airdrop.otherTree`. */
async function airdropOf(
  session: ChainSession,
  root?: string,
): Promise<ContractOf<"MerkleAirdrop">> {
  const airdrop = await session.contract("MerkleAirdrop");
  const deployed = await airdrop.root();
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
      const bitmap = await airdrop.claimedBitmap(word);
      entries.slice(word * WORD_BITS, (word + 1) * WORD_BITS).forEach((candidate, bit) => {
        if ((bitmap >> BigInt(bit)) & 1n) claimed.push(candidate);
      });
    }
    const deadline = Number(await airdrop.deadline());
    console.log(
      `${claimed.length} of ${entries.length} claimed, ${opg(sumOf(claimed))} of ` +
        `${opg(sumOf(entries))}; ends ${isoTime(deadline)}`,
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
    if (await airdrop.isClaimed(index)) {
      refuse("claimed", `the claim of ${account} is paid already; nothing sent`);
    }
    const deadline = Number(await airdrop.deadline());
    const now = (await session.provider.getBlock("latest"))?.timestamp ?? 0;
    if (now > deadline) refuse("ended", `the airdrop ended at ${isoTime(deadline)}`);
    if (delegate !== undefined && account !== getAddress(signer.address)) {
      refuse(
        "notYours",
        `--delegate: only ${account} can sign for its votes, not ${signer.address}`,
      );
    }
    const values = [index, account, amount, proof] as const;
    const paid = `${opg(amount)} go to ${account}`;
    const sending = { contract: airdrop, signer, question: session.question("Send?", options) };
    if (delegate === undefined) {
      console.log(paid);
      await sendCall({ ...sending, name: "claim", values });
      return;
    }
    console.log(`${paid}, and ${getAddress(delegate)} votes with all of that account's`);
    const delegation = await signDelegation({ session, signer, delegate, now });
    await sendCall({ ...sending, name: "claimAndDelegate", values: [...values, delegation] });
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
  const token = await session.contract("OPG");
  const { name, version, chainId, verifyingContract } = await token.eip712Domain();
  const nonce = await token.nonces(signer.address);
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
    const token = await session.contract("OPG");
    const deadline = Number(await airdrop.deadline());
    const now = (await session.provider.getBlock("latest"))?.timestamp ?? 0;
    if (now <= deadline) refuse("notEnded", `the airdrop runs until ${isoTime(deadline)}`);
    const left = await token.balanceOf(await airdrop.getAddress());
    if (left === 0n) refuse("nothingLeft", "the airdrop holds nothing; nothing sent");
    console.log(`${opg(left)} go to ${await airdrop.leftoversTo()}`);
    await sendCall({
      ...{ contract: airdrop, signer: await session.signer(options.account) },
      ...{ name: "sweep", values: [], question: session.question("Send?", options) },
    });
  });
}
