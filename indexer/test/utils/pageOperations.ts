import { opgAbi, pageSettlementAbi } from "@haca/protocol/abi";
import { blobIdToWord, contentId } from "@haca/protocol/blobs/blobId";
import { checkPage, encodePageBlob, type PageResult } from "@haca/protocol/blobs/pageBlob";
import { hashResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { challengeCommitment, pageIdOf } from "@haca/protocol/pageSettlement";
import { encodeRequestId, ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import {
  nonceOfPlace,
  type ResultPageTree,
  resultLeaf,
  resultPageProof,
} from "@haca/protocol/resultPage";
import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  type Hex,
  keccak256,
  maxUint256,
  numberToHex,
  stringToHex,
  toHex,
} from "viem";
import type { Contracts } from "./deployContracts.ts";
import { deployOn } from "./deployOn.ts";
import type { Token } from "./deployToken.ts";
import { REQUESTER } from "./events.ts";
import type { Chain } from "./startChain.ts";
import type { TeeNode } from "./teeOperations.ts";
import { addressOf } from "./writeBook.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const INCLUSION_DELAY = DAY;
export const LONG_ROAD = 3 * DAY;
const OPG = 10n ** 18n;
export const PAGE_PARAMETERS = {
  ...{ longRoad: LONG_ROAD, shortRoad: 6 * HOUR, resultWindow: 7 * DAY },
  minimumDeposit: 100n * OPG,
};
export const DEPOSIT = 1000n * OPG;
const TEE = 2;

/** Deploys the contract of pages as a writer of the ledger, and gives every operator's account a deposit. */
export async function deployPages(parameters: {
  chain: Chain;
  contracts: Contracts;
  token: Token;
  setLedgerWriter: (writer: Hex, allowed: boolean) => Promise<unknown>;
}) {
  const { chain, contracts, setLedgerWriter, token } = parameters;
  const { accessManager, inferenceSettlement } = contracts.deployed;
  const { pageSettlement } = await deployOn(chain, (module) => ({
    pageSettlement: module.contract("PageSettlement", [
      ...[addressOf(accessManager), addressOf(inferenceSettlement), token.opg.address],
      ...[INCLUSION_DELAY, PAGE_PARAMETERS],
    ]),
  }));
  const pages = addressOf(pageSettlement);
  await setLedgerWriter(pages, true);
  const onToken = { to: token.opg.address, abi: opgAbi, from: token.liquidity };
  await token.call({ ...onToken, functionName: "approve", args: [pages, maxUint256] });
  return pageSettlement;
}

/** A page that was proposed, with everything that others need about it. */
export type ProposedPage = {
  pageId: Hex;
  header: {
    kind: number;
    teeId: Hex;
    ledgerPage: bigint;
    bitmap: bigint;
    root: Hex;
    blobId: Hex;
    proposer: Hex;
    fee: bigint;
  };
  results: readonly PageResult[];
  tree: ResultPageTree;
  blob: Uint8Array;
  receipt: Awaited<ReturnType<Chain["send"]>>;
  nodeAddress: string;
  number: bigint;
};

/** What can happen to pages. `store` keeps their blobs; where it is left out nobody has them. */
export function pageOperations(parameters: {
  chain: Chain;
  contracts: Contracts;
  token: Token;
  pages: Hex;
}) {
  const { chain, contracts, pages, token } = parameters;
  const chainId = BigInt(chain.client.chain.id);
  const domain = settlementDomain({
    ...{ chainId, settlement: addressOf(contracts.deployed.inferenceSettlement) },
  });

  const call = <Name extends ContractFunctionName<typeof pageSettlementAbi, "nonpayable">>(
    functionName: Name,
    args: ContractFunctionArgs<typeof pageSettlementAbi, "nonpayable", Name>,
    from?: Hex,
  ) =>
    chain.send({
      to: pages,
      data: encodeFunctionData({ abi: pageSettlementAbi, functionName, args } as never),
      ...(from === undefined ? {} : { from }),
    });

  const deposit = (account: Hex, amount = DEPOSIT) =>
    call("deposit", [account, amount], token.liquidity);

  /** A signed result of an enclave for a place; `forged`: signed by nobody. */
  const resultAt = async (options: {
    node: TeeNode;
    number: bigint;
    index: number;
    forged: boolean;
  }): Promise<PageResult> => {
    const { forged, index, node, number } = options;
    const { enclave } = node;
    const { timestamp } = await chain.client.getBlock();
    const result = {
      modelVersion: contracts.versionId(1, 0),
      inputHash: keccak256(stringToHex(`input ${number} ${index}`)),
      outputHash: keccak256(stringToHex(`output ${number} ${index}`)),
      ...{ requester: REQUESTER, price: 7n, timestamp, teeId: enclave.teeId },
    };
    const requestId = encodeRequestId({
      node: nodeOfEnclave(enclave.teeId),
      nonce: nonceOfPlace({ page: number, index }),
    });
    const digest = hashResult({ domain, result: { ...result, requestId } });
    const signature = forged ? `0x${"11".repeat(65)}` : toHex(enclave.sign(digest as Hex));
    return { index, signature, ...result };
  };

  /** Proposes a page of results as the node's operator; returns everything that others need about it. */
  const propose = async (options: {
    node: TeeNode;
    number: bigint;
    places: readonly number[];
    /** place whose result nobody has signed */
    forged?: number;
    /** requests that are proposed without a result, or left out though there is one */
    bitmap?: bigint;
    /** keeps the blob; absent: nobody does */
    store?: (bytes: Uint8Array) => Promise<unknown>;
  }): Promise<ProposedPage> => {
    const { forged, node, number, places, store } = options;
    const teeId = node.enclave.teeId as Hex;
    const nodeAddress = nodeOfEnclave(teeId);
    const results: PageResult[] = [];
    for (const index of places) {
      results.push(await resultAt({ node, number, index, forged: index === forged }));
    }
    const content = { node: nodeAddress.toLowerCase(), page: number, results };
    const checked = checkPage({ page: content, domain });
    const blob = encodePageBlob(content);
    const blobId = blobIdToWord(contentId(blob)) as Hex;
    await store?.(blob);
    const ledgerPage = ledgerPageOf({ node: nodeAddress, index: number });
    const wanted = options.bitmap ?? checked.bitmap;
    const taken = wanted & ~(await readOccupied(ledgerPage));
    const proposal = {
      ...{ kind: TEE, teeId, ledgerPage, bitmap: wanted, root: checked.root as Hex, blobId },
      ...{ fee: 0n, deadline: 0n },
    };
    const receipt = await call("proposePage", [proposal, "0x"], node.operator);
    const { deadline: _, ...rest } = proposal;
    const header = { ...rest, bitmap: taken, proposer: node.operator };
    const pageId = pageIdOf({
      ...{ chainId, pageSettlement: pages, header: { ...header, kind: BigInt(TEE) } },
    }) as Hex;
    return { pageId, header, results, tree: checked.tree, blob, receipt, nodeAddress, number };
  };

  const readOccupied = (ledgerPage: bigint): Promise<bigint> =>
    chain.client.readContract({
      address: addressOf(contracts.deployed.inferenceSettlement),
      abi: [
        {
          ...{ type: "function", name: "occupied", stateMutability: "view" },
          inputs: [{ name: "page", type: "uint256" }],
          outputs: [{ name: "bitmap", type: "uint256" }],
        },
      ] as const,
      ...{ functionName: "occupied", args: [ledgerPage] },
    });

  const requestIdAt = ({ nodeAddress, number }: ProposedPage, index: number) =>
    encodeRequestId({
      node: nodeAddress,
      nonce: nonceOfPlace({ page: number, index }),
    }) as Hex;

  const leafOf = (page: ProposedPage, index: number) => {
    const found = page.results.find((each) => each.index === index);
    if (found === undefined) throw new Error(`no result at ${index}`);
    const { index: _, signature, words: __, ...message } = found;
    const result = { ...message, requestId: requestIdAt(page, index) };
    const siblings = resultPageProof({ tree: page.tree, index });
    return { index, result, signature, siblings } as never;
  };

  /** Commits to a challenge of a leaf, and makes it. */
  const challenge = async (page: ProposedPage, index: number, challenger: Hex) => {
    const { result, signature } = leafOf(page, index) as { result: never; signature: string };
    const leafHash = resultLeaf({ digest: hashResult({ domain, result }), signature });
    const salt = numberToHex(index + 1, { size: 32 });
    const commitment = challengeCommitment({
      ...{ pageId: page.pageId, index, leafHash, challenger, salt },
    }) as Hex;
    await call("commitChallenge", [commitment], challenger);
    await call("challenge", [page.header, leafOf(page, index), challenger, salt], challenger);
  };

  const answer = (page: ProposedPage, index: number, from: Hex) =>
    call("answerLeaves", [[{ header: page.header, leaf: leafOf(page, index) }]], from);

  const settleAgain = (page: ProposedPage, index: number) =>
    call("settleAgain", [page.header, leafOf(page, index)]);

  const read = <Name extends ContractFunctionName<typeof pageSettlementAbi, "view">>(
    functionName: Name,
    args: ContractFunctionArgs<typeof pageSettlementAbi, "view", Name>,
    at?: bigint,
  ) =>
    chain.client.readContract({
      ...{ abi: pageSettlementAbi, address: pages, functionName, args },
      ...(at === undefined ? {} : { blockOverrides: { time: at } }),
    } as never) as Promise<unknown>;

  return { answer, call, challenge, deposit, leafOf, propose, read, requestIdAt, settleAgain };
}
export type PageOperations = ReturnType<typeof pageOperations>;
