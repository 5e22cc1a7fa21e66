import { toClientEvmSigner, toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme as ExactClient } from "@x402/evm/exact/client";
import { ExactEvmScheme as ExactFacilitator } from "@x402/evm/exact/facilitator";
import {
  decodePaymentResponseHeader,
  type PaymentRequirements,
  wrapFetchWithPaymentFromConfig,
  type x402ClientConfig,
} from "@x402/fetch";
import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { concat, createWalletClient, custom, type Hex, publicActions } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { PAYMENT_HEADER, type PaidServer, startPaidServer } from "../utils/paidServer.ts";
import { deployToken, type TokenFixture } from "../utils/tokenFixture.ts";

const PRICE = 1_500_000_000_000_000_000n;
const FUNDS = 4n * PRICE;
const NETWORK = "eip155:31337";

type ClientSigner = Parameters<typeof toClientEvmSigner>[0];

describe("OPG: payments by x402", () => {
  let connection: NetworkConnection;
  let base: TokenFixture;
  let requirements: PaymentRequirements;
  let server: PaidServer;

  before(async () => {
    connection = await network.create();
  });
  async function deployWithDefaults() {
    return deployToken(connection);
  }

  /**
   * The library's own facilitator: it verifies and settles, with an account of the chain that pays the gas.
   * `losesSightOfFirst`: it waits in vain for the first transaction that it sends.
   */
  function makeFacilitator({ losesSightOfFirst = false } = {}) {
    let isFirst = losesSightOfFirst;
    const { provider } = connection;
    const client = createWalletClient({
      account: base.stranger.address as Hex,
      chain: hardhat,
      transport: custom({
        request: ({ method, params }) => provider.request({ method, params }),
      }),
      // What a test sends is mined at once.
      pollingInterval: 20,
    }).extend(publicActions);
    return new ExactFacilitator(
      toFacilitatorEvmSigner({
        address: base.stranger.address as Hex,
        readContract: (call) => client.readContract(call as never),
        verifyTypedData: (message) => client.verifyTypedData(message as never),
        writeContract: (call) => client.writeContract(call as never),
        sendTransaction: (transaction) => client.sendTransaction(transaction),
        waitForTransactionReceipt: (wait) => {
          // Waits of one transaction share a timer that is not cleared; the process would wait for it.
          if (!isFirst) return client.waitForTransactionReceipt({ ...wait, timeout: 10_000 });
          isFirst = false;
          return Promise.reject(new Error("no answer in time"));
        },
        getCode: (account) => client.getCode(account),
      }),
    );
  }

  beforeEach(async () => {
    base = await connection.networkHelpers.loadFixture(deployWithDefaults);
    requirements = {
      scheme: "exact",
      network: NETWORK,
      asset: await base.opg.getAddress(),
      amount: String(PRICE),
      payTo: base.bob.address,
      maxTimeoutSeconds: 300,
      extra: { name: "OPG", version: "1" },
    };
    server = await startPaidServer({ requirements, facilitator: makeFacilitator() });
  });

  afterEach(() => server.stop());

  /** An account outside the chain's node, with some OPG and no ether. */
  async function fundedAccount() {
    const account = privateKeyToAccount(generatePrivateKey());
    await base.opg.connect(base.liquidity).transfer(account.address, FUNDS);
    return account;
  }

  /** A client that may spend OPG; `change` rewrites what it believes that the server wants. */
  const configOf = (
    signer: ClientSigner,
    change: (wanted: PaymentRequirements) => PaymentRequirements = (wanted) => wanted,
  ): x402ClientConfig => ({
    schemes: [{ network: NETWORK, client: new ExactClient(toClientEvmSigner(signer)) }],
    // Of tokens that a client does not know it spends none, unless it is told to.
    spendControls: {
      allowedAssets: [
        { network: NETWORK, asset: requirements.asset, maxAmountPerPayment: String(PRICE) },
      ],
    },
    paymentRequirementsSelector: (_version, [wanted]) => change(wanted ?? requirements),
  });
  const payingFetch = (...parameters: Parameters<typeof configOf>) =>
    wrapFetchWithPaymentFromConfig(fetch, configOf(...parameters));

  const pay = (header: string) => fetch(server.url, { headers: { [PAYMENT_HEADER]: header } });
  const earned = () => base.opg.balanceOf(base.bob.address);

  async function expectRefusal(response: Response, reason: RegExp) {
    const { error } = (await response.json()) as { error: string };
    expect({ status: response.status, error }).to.deep.equal({ status: 402, error });
    expect(error).to.match(reason);
  }

  it("test_OwnKeyPaysOnceAndIsServed", async () => {
    const account = await fundedAccount();
    const response = await payingFetch(account)(server.url);
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({ answer: 42 });
    expect(await earned()).to.equal(PRICE);
    expect(await base.opg.balanceOf(account.address)).to.equal(FUNDS - PRICE);

    const settlement = decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");
    expect(settlement.payer?.toLowerCase()).to.equal(account.address.toLowerCase());
    const receipt = await base.ethers.provider.getTransactionReceipt(settlement.transaction);
    expect(receipt?.to).to.equal(await base.opg.getAddress());
  });

  it("test_NothingIsServedWithoutPayment", async () => {
    await expectRefusal(await fetch(server.url), /^payment required$/);
    expect(await earned()).to.equal(0n);
  });

  it("test_RevertWhen_HeaderIsReplayed", async () => {
    await payingFetch(await fundedAccount())(server.url);
    const [header = ""] = server.received;
    await expectRefusal(await pay(header), /nonce|authorization|simulation/);
    expect(await earned()).to.equal(PRICE);
  });

  it("test_OneOfManyRetriesOfAPendingPaymentIsServed", async () => {
    const { provider, networkHelpers } = connection;
    const header = await signedHeader(await fundedAccount());
    const facilitator = makeFacilitator({ losesSightOfFirst: true });
    const settle = facilitator.settle.bind(facilitator);
    const racing = await startPaidServer({ requirements, facilitator });
    const send = () => fetch(racing.url, { headers: { [PAYMENT_HEADER]: header } });
    await provider.request({ method: "evm_setAutomine", params: [false] });
    try {
      await expectRefusal(await send(), /pending/);
      const retries = 3;
      let verified = 0;
      // Nothing is settled before all of them are verified, and nothing is mined before.
      let letGo = () => {};
      const allVerified = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      facilitator.settle = async (...payment) => {
        verified += 1;
        if (verified === retries) letGo();
        await allVerified;
        return settle(...payment);
      };
      const responses = Promise.all(Array.from({ length: retries }, send));
      await allVerified;
      await networkHelpers.mine();
      expect((await responses).map(({ status }) => status).sort()).to.deep.equal([200, 402, 402]);
      expect(await earned()).to.equal(PRICE);
    } finally {
      await provider.request({ method: "evm_setAutomine", params: [true] });
      await racing.stop();
    }
  });

  /** The header that an account would send. */
  async function signedHeader(signer: ClientSigner): Promise<string> {
    let header = "";
    const keepHeader: typeof fetch = (input, init) => {
      const request = new Request(input, init);
      const found = request.headers.get(PAYMENT_HEADER);
      if (found === null) return fetch(request);
      header = found;
      return Promise.resolve(new Response());
    };
    await wrapFetchWithPaymentFromConfig(keepHeader, configOf(signer))(server.url);
    return header;
  }

  const refusals: [string, (wanted: PaymentRequirements) => PaymentRequirements, RegExp][] = [
    ["AmountIsTooSmall", (wanted) => ({ ...wanted, amount: String(PRICE - 1n) }), /value|amount/],
    [
      "DomainNameIsWrong",
      (wanted) => ({ ...wanted, extra: { name: "USDC", version: "1" } }),
      /signature/,
    ],
    [
      "DomainVersionIsWrong",
      (wanted) => ({ ...wanted, extra: { name: "OPG", version: "2" } }),
      /signature/,
    ],
    [
      "TokenIsAnother",
      (wanted) => ({ ...wanted, asset: "0x00000000000000000000000000000000000000aa" }),
      /signature/,
    ],
    [
      "ReceiverIsAnother",
      (wanted) => ({ ...wanted, payTo: "0x00000000000000000000000000000000000000aa" }),
      /recipient/,
    ],
    ["AuthorizationHasExpired", (wanted) => ({ ...wanted, maxTimeoutSeconds: 0 }), /valid_before/],
  ];
  for (const [name, change, reason] of refusals) {
    it(`test_RevertWhen_${name}`, async () => {
      const account = await fundedAccount();
      await expectRefusal(await payingFetch(account, change)(server.url), reason);
      expect(await earned()).to.equal(0n);
      expect(await base.opg.balanceOf(account.address)).to.equal(FUNDS);
    });
  }

  it("test_ClientSpendsNothingThatItWasNotAllowedTo", async () => {
    const config = configOf(await fundedAccount());
    for (const allowedAssets of [
      [],
      [{ network: NETWORK, asset: requirements.asset, maxAmountPerPayment: String(PRICE - 1n) }],
    ] as const) {
      const careful = { ...config, spendControls: { allowedAssets: [...allowedAssets] } };
      const error = await wrapFetchWithPaymentFromConfig(
        fetch,
        careful,
      )(server.url).then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error?.message).to.match(/spendControls/);
    }
    expect(server.received).to.deep.equal([]);
  });

  it("test_RevertWhen_PayerHasTooLittle", async () => {
    const account = privateKeyToAccount(generatePrivateKey());
    await base.opg.connect(base.liquidity).transfer(account.address, PRICE - 1n);
    await expectRefusal(await payingFetch(account)(server.url), /balance|simulation/);
  });

  /** A wallet that is a contract, with some OPG; its owner signs for it. */
  async function fundedWallet(contract: "OwnedWallet" | "TaggedWallet") {
    const owner = privateKeyToAccount(generatePrivateKey());
    const wallet = await base.ethers.deployContract(contract, [owner.address]);
    const address = (await wallet.getAddress()) as Hex;
    await base.opg.connect(base.liquidity).transfer(address, FUNDS);
    return { owner, address };
  }

  it("test_ContractWalletPaysThroughErc1271", async () => {
    const { owner, address } = await fundedWallet("TaggedWallet");
    const signTypedData: ClientSigner["signTypedData"] = async (message) =>
      concat(["0x01", await owner.signTypedData(message as never)]);
    const response = await payingFetch({ address, signTypedData })(server.url);
    expect(response.status).to.equal(200);
    expect(await earned()).to.equal(PRICE);
    expect(await base.opg.balanceOf(address)).to.equal(FUNDS - PRICE);
  });

  it("test_RevertWhen_ContractWalletIsSignedForByAnother", async () => {
    const { address } = await fundedWallet("TaggedWallet");
    const attacker = privateKeyToAccount(generatePrivateKey());
    const signTypedData: ClientSigner["signTypedData"] = async (message) =>
      concat(["0x01", await attacker.signTypedData(message as never)]);
    const response = await payingFetch({ address, signTypedData })(server.url);
    await expectRefusal(response, /signature/);
    expect(await earned()).to.equal(0n);
  });

  // The token would take it; the library sends every signature of 65 bytes to the (v, r, s) form, which is for own keys.
  it("test_RevertWhen_ContractWalletHasSignaturesOfAKeysLength", async () => {
    const { owner, address } = await fundedWallet("OwnedWallet");
    const signTypedData: ClientSigner["signTypedData"] = (message) =>
      owner.signTypedData(message as never);
    const response = await payingFetch({ address, signTypedData })(server.url);
    expect(response.status).to.equal(402);
    expect(await earned()).to.equal(0n);
  });
});
