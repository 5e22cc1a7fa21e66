import { blobIdToWord, contentId } from "@haca/protocol/blobs/blobId";
import { checkPage, encodePageBlob, type PageResult } from "@haca/protocol/blobs/pageBlob";
import { hashResult } from "@haca/protocol/inferenceResult";
import { OPTIMISTIC, pageIdOf } from "@haca/protocol/pageSettlement";
import { PROPOSAL_TYPES } from "@haca/protocol/proposal";
import { ledgerPageOf } from "@haca/protocol/requestId";
import { nonceOfPlace } from "@haca/protocol/resultPage";
import { concat, id, toBeHex, Wallet } from "ethers";
import { type Hex, zeroHash } from "viem";
import type { Contracts } from "./deployContracts.ts";
import type { PageOperations, ProposedPage } from "./pageOperations.ts";
import type { Chain } from "./startChain.ts";

const KIND = Number(OPTIMISTIC);

/** What can happen to optimistic pages of a node of their own, which somebody else proposes with its signature. */
export function optimisticOperations(parameters: {
  chain: Chain;
  contracts: Contracts;
  operations: PageOperations;
  pages: Hex;
}) {
  const { chain, contracts, operations, pages } = parameters;
  const { call, leafOf } = operations;
  const { domain } = contracts;
  const node = new Wallet(id("node of optimistic pages"));
  const proposer = chain.accounts[5] as Hex;

  /** Opens version 1.0, by the result that every world has settled. */
  const admit = () => {
    const { words: _, ...result } = contracts.prove({ nonce: 0n }).event as never as {
      words: unknown;
    };
    return call("admitVersion", [result as never]);
  };

  const answerAt = (number: bigint, index: number) =>
    contracts.prove({
      nonce: nonceOfPlace({ page: number, index }),
      node: node.address as Hex,
    });

  const propose = async (options: {
    number: bigint;
    places: readonly number[];
    store?: (bytes: Uint8Array) => Promise<unknown>;
  }): Promise<ProposedPage> => {
    const { number, places, store } = options;
    const results = places.map((index): PageResult => {
      const { event, words } = answerAt(number, index);
      const { requestId: _, ...result } = event;
      const digest = hashResult({ domain, result: event });
      const signature = node.signingKey.sign(digest).serialized;
      return { ...result, index, signature, words: concat(words.map((one) => toBeHex(one, 32))) };
    });
    const content = { node: node.address.toLowerCase(), page: number, results };
    const { bitmap, root, tree } = checkPage({ page: content, domain });
    const blob = encodePageBlob(content);
    await store?.(blob);
    const header = {
      ...{
        kind: KIND,
        teeId: zeroHash,
        ledgerPage: ledgerPageOf({ node: node.address, index: number }),
      },
      ...{ bitmap, root: root as Hex, blobId: blobIdToWord(contentId(blob)) as Hex, fee: 0n },
    };
    const { kind, ledgerPage: page, blobId } = header;
    const deadline = 2n ** 64n - 1n;
    const signature = await node.signTypedData(domain, PROPOSAL_TYPES, {
      ...{ kind, page, bitmap, root, blobId, deadline },
    });
    const args = [{ ...header, deadline }, signature as Hex] as const;
    const receipt = await call("proposePage", args, proposer);
    const chainId = BigInt(chain.client.chain.id);
    const full = { ...header, proposer };
    const pageId = pageIdOf({
      ...{ chainId, pageSettlement: pages, header: { ...full, kind: OPTIMISTIC } },
    }) as Hex;
    return {
      ...{ pageId, header: full, results: content.results, tree, blob, receipt, number },
      nodeAddress: node.address,
    };
  };

  const demand = ({ header }: ProposedPage, index: number, from: Hex) =>
    call("demandProof", [header, index], from);

  const prove = (page: ProposedPage, index: number) => {
    const { words, proof } = answerAt(page.number, index);
    return call("proveLeaf", [page.header, leafOf(page, index), words, proof]);
  };

  return { admit, demand, propose, proposer, prove };
}
