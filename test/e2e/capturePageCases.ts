import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import type { ListedName } from "@haca/protocol/contracts";
import { type JsonRpcProvider, parseEther } from "ethers";
import { expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import {
  BOOK,
  LIQUIDITY,
  type LocalDeployment,
  later,
  type Result,
  refusalOn,
  success,
} from "./localDeployment.ts";
import { runHere } from "./runHere.ts";

const DAY = 86_400;
const [PAYEE, STRANGER] = ["15", "16"];
const PRICE = parseEther("2");
const LEDGER_PAGE = 90n;
/** Places of the page: the one that is paid for, another result, and one that is empty. */
const [PAID, OTHER, EMPTY] = [3, 7, 8];

/** A chain with pages of an enclave's results, whose requester is `requester`. */
export type CapturePageWorld = {
  local: LocalDeployment;
  provider: JsonRpcProvider;
  blobsUrl: string;
  teeId: string;
  /** number of the account that asks the enclave */
  requester: string;
  /** hash of what it asks under a nonce */
  requestHash: (nonce: bigint) => string;
  propose: (page: { page: bigint; places: number[]; price: bigint }) => Promise<string>;
  /** leaves a deposit for the proposer again */
  deposit: () => Promise<unknown>;
};

/** `npm run escrow -- capture-page`, from the permit to the payment. */
export function capturePageCases(world: () => CapturePageWorld): void {
  it("pays for a result in a page once it is final, whose blob it reads, and for no other", async () => {
    const { blobsUrl, local, provider, requester, requestHash, teeId } = world();
    const environment = { HACA_RPC_URL: local.url, HACA_BLOB_AGGREGATOR: blobsUrl };
    const escrow = (...options: string[]): Promise<Result> =>
      runHere({ path: "scripts/escrow/cli.ts", options, environment });
    const refusal = (...options: string[]) => refusalOn(provider, escrow(...options));
    const accountOf = async (account: string) =>
      (await provider.getSigner(Number(account))).address;
    const [payer, payee] = await Promise.all([accountOf(requester), accountOf(PAYEE)]);
    const opg = tokenOf(await provider.getSigner(LIQUIDITY));
    await (await opg.transfer(payer, parseEther("5"))).wait();
    const before = await opg.balanceOf(payee);

    const file = join(local.folder, "permit-page.json");
    const request = requestHash(LEDGER_PAGE * 256n + BigInt(PAID));
    await success(escrow("approve", "5", "--account", requester));
    const terms = ["--node", teeId, "--payee", payee, "--request", request, "--kinds", "tee-page"];
    const signing = [...terms, "--amount", "5", "--out", file, "--account", requester];
    const signed = await success(escrow("permit", ...signing));
    expect(signed).toContain("captured by  TEE in a page");
    const [, job = ""] = /^job +(0x[0-9a-f]{64})/m.exec(signed) ?? [];
    await success(escrow("open", file, "--account", STRANGER));

    await world().deposit();
    const page = await world().propose({ page: LEDGER_PAGE, places: [PAID, OTHER], price: PRICE });
    expect(await refusal("capture-page", job, page, String(PAID))).toContain(
      `page ${page} is pending until`,
    );
    await later(provider, 3 * DAY + 60);
    for (const [place, words] of [
      [OTHER, `the job is of request hash ${request}, and the result of 0x`],
      [EMPTY, "index must be"],
    ] as const) {
      expect(await refusal("capture-page", job, page, String(place))).toContain(words);
    }
    const capturing = ["capture-page", job, page, String(PAID), "--account", STRANGER];
    const captured = await success(local.run(["scripts/escrow/cli.ts", ...capturing], environment));
    expect(captured).toContain(`2.0 OPG to ${payee}, 0.0 OPG of fee, 3.0 OPG back to ${payer}`);
    expect((await opg.balanceOf(payee)) - before).toBe(PRICE);
    expect(await opg.balanceOf(payer)).toBe(parseEther("3"));
    expect(await success(escrow("status", job))).toContain("2.0 OPG to the payee");
    expect(await refusal(...capturing)).toContain("was captured; nothing sent");
  });
}

const tokenOf = (runner: Awaited<ReturnType<JsonRpcProvider["getSigner"]>>) =>
  contractAt({ name: "OPG", address: addressOf("OPG"), runner });

const addressOf = (name: ListedName): string =>
  readAddressBook(BOOK).contracts[name]?.address ?? "";
