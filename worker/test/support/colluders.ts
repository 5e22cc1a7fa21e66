import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { signAttestation } from "@haca/protocol/validatorStaking";
import { Wallet } from "ethers";
import { developmentKey } from "./localChain.ts";
import type { StakingContract } from "./stakingContract.ts";
import type { MadePage } from "./watchBed.ts";

/** Accounts of their owners. */
export const COLLUDING = [6, 7, 9] as const;

/** Key that an owner's validator signs with. */
export const keyOf = (owner: number): Wallet => new Wallet(developmentKey(owner + 20));

/** Three validators who sign whatever is proposed, and give their signatures to everybody. */
export class Colluders {
  readonly #staking: StakingContract;
  readonly #server: Server;

  private constructor(staking: StakingContract) {
    this.#staking = staking;
    this.#server = createServer(async ({ url = "" }, outgoing) => {
      const pageId = url.split("/").at(-1) ?? "";
      const attestations = await Promise.all(
        COLLUDING.map(async (owner) => ({
          key: keyOf(owner).address,
          signature: await this.#sign(owner, pageId),
        })),
      );
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ pageId, attestations }));
    });
  }

  static async start(staking: StakingContract): Promise<Colluders> {
    const colluders = new Colluders(staking);
    await new Promise<void>((resolve) => colluders.#server.listen(0, "127.0.0.1", resolve));
    return colluders;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Takes a page to the short road by their own stake. */
  async attest(page: MadePage): Promise<void> {
    await this.#staking.attest({ page, keys: COLLUDING.map(keyOf), account: COLLUDING[0] });
  }

  #sign(owner: number, pageId: string): Promise<string> {
    const staking = String(this.#staking.contract.target);
    return signAttestation({ chainId: 31337n, staking, pageId, key: keyOf(owner) });
  }
}
