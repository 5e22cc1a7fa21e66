import { createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import { network } from "hardhat";

const { ethers } = await network.create();
describe("scratch", () => {
  it("sha", async () => {
    const h = await ethers.deployContract("AttestationHarness");
    for (const n of [0, 3, 110, 111, 112, 127, 128, 129, 500]) {
      const m = randomBytes(n);
      expect(await h.hash(m)).to.equal(`0x${createHash("sha384").update(m).digest("hex")}`);
    }
    const a = await h.hash.estimateGas(Buffer.alloc(1000));
    const b = await h.hash.estimateGas(Buffer.alloc(1000+1280));
    console.log((b - a - 4n*1280n) / 10n);
  });
});
