/** The snapshots that the figures are held against. */
export const GAS_SNAPSHOT = "test/snapshots/gas.json";

/** Documents in whose tables every figure of the column "gas" must be one of the snapshot's. */
export const GAS_TABLES: readonly string[] = ["docs/gas.md", "docs/attestation-soundness.md"];

/**
 * What the documents say of gas. `{key}` stands for the snapshot's figure of that name, `{key M}` for the same in
 * millions with one decimal.
 */
export const GAS_CLAIMS: Readonly<Record<string, readonly string[]>> = {
  "README.md": ["{attest.register M}M gas cold"],
  "CHANGELOG.md": [
    "a cold document in one transaction of {attest.cold M}M gas",
    "settles for {settle.mlp784.committed} gas in place of {settle.mlp784.packed}",
  ],
  "docs/zkml.md": ["settles for {settle.mlp784.committed} gas in place of {settle.mlp784.packed}"],
  "docs/gas.md": [
    "context; sent by the node | {settle.single} |",
    "bitmap slot is new) | {settle.single.firstInSlot} |",
    "with the node's signature | {settle.single.byRelayer} |",
    "kind and digest are kept | {settle.single.priced} |",
    "with a commitment to them | {settle.mlp784.packed} / {settle.mlp784.committed} |",
    "one transaction, for each proof | {settle.batch32.perProof} / {settle.batch128.perProof} |",
    "32 / 128 proofs, for each proof | {settle.batch32.extraSignal.perProof} / " +
      "{settle.batch128.extraSignal.perProof} |",
    "RSA-2048 key: first of 256 requests / later | {settle.tee.rsa.first} / {settle.tee.rsa} |",
    "session key: first of 256 requests / later | {settle.tee.session.first} / " +
      "{settle.tee.session} |",
    "Vanilla result: first of 256 requests / later | {settle.vanilla.first} / {settle.vanilla} |",
    "in transactions of their own | {page.propose256} / {page.release} |",
    "with a quorum of 7 | {page.perResult256} / {page.perResult256.attested} |",
    "with 7 / 21 signatures | {page.attest7} / {page.attest21} |",
    "of a page without a fee | {page.attest7.withoutFee} / {page.attest21.withoutFee} |",
    "of these signers in a day | {page.attest7.firstOfEpoch} / {page.attest21.firstOfEpoch} |",
    "a day's set of 21 | {freeze} |",
    "delegate / undelegate / withdraw | {stake} / {delegate} / {undelegate} / {withdraw} |",
    "claim rewards / slash | {claimRewards} / {slash} |",
    "observations to a feed, P-256 keys | {feed.post} / {feed.post7} / {feed.post15} |",
    "in a transaction of its own | {feed.post.rsa} / {feed.read} |",
    "in the escrow / its first in a token | {escrow.open} / {escrow.open.first} |",
    "and the first of 256 requests | {escrow.capture} / {escrow.capture.first} |",
    "in a final page / refund it | {escrow.captureFromPage} / {escrow.refund} |",
    "that was settled alone / refund it | {commerce.open} / {commerce.capture} / {commerce.refund} |",
    "of one channel / of 16 new ones | {channel.claim256} / {channel.claim256.payers16} |",
    "A page of channels is above its budget: of the {channel.claim256} gas",
    "a false RSA-2048 signature | {challenge.invalidSignature.rsa} |",
    "show 32 of them, RSA-2048 | {challenge.requestLeaf} / {challenge.answerLeaf32} |",
    "give it, four public signals | {challenge.demandProof} / {challenge.demandAnswered} |",
    "legacy batch's root | {legacy.anchor} |",
    "one legacy answer, RSA-2048 | {legacy.settleIndividual} |",
    "2^24 gas (EIP-7825) has {settle.batchMax.count} proofs",
    "a replay, refused | {settle.single.replayed} |",
    "register a model | {registry.registerModel} |",
    "key checks included | {registry.publishVersion} |",
    "deprecate a version | {registry.deprecateVersion} |",
    "1 / 2 / 4 / 8 / 16 public signals | {groth16.verify.1} / {groth16.verify.2} / {groth16.verify.4} / " +
      "{groth16.verify.8} / {groth16.verify.16} |",
    "message of one block, hints included | {p384.verify} |",
    "without / with its calldata | {sha384.perBlock} / {sha384.perBlock.withCalldata} |",
    "(32,768 of it MODEXP) | {rsapss2048.verify} |",
    "four certificates and the document, hints included | {attest.cold} |",
    "Nitro document, its certificates stored | {attest.warm} |",
    "registration in one transaction | {attest.register} |",
    "by the document (3.2 kB) | {register.node} / {register.node.document} |",
    "heartbeat, RSA-2048 / P-256 / session key | {heartbeat.rsa} / {heartbeat.p256} / {heartbeat.session} |",
    "with 1 node / with 500 | {image.revoke} / {image.revoke.500} |",
    "transfer with authorization | {token.transfer} / {token.transferWithAuthorization} |",
    "in a batch of 50, each | {vesting.create} / {vesting.createBatch50.perGrant} |",
    "the first one / later ones | {vesting.release} / {vesting.release.again} |",
    "claim from an airdrop of 10,000 | {airdrop.claim} |",
    "propose / vote / queue / execute | {governor.propose} / {governor.vote} / {governor.queue} / " +
      "{timelock.execute} |",
  ],
  "docs/attestation-soundness.md": [
    "| `p384.verify` | {p384.verify} |",
    "| `sha384.perBlock` | {sha384.perBlock} |",
    "({sha384.perBlock.withCalldata} with it)",
    "| `rsapss2048.verify` | {rsapss2048.verify} |",
  ],
  "docs/attestation.md": [
    "simulated chain (3.2 kB) | {attest.cold} |",
    "one transaction (3.2 kB, P-256 key) | {attest.register} |",
    "warm document, simulated / real (4.5 kB) | {attest.warm} / ",
    "by the document (3.2 kB) | {register.node} / {register.node.document} |",
    "RSA-2048 / P-256 / session key | {heartbeat.rsa} / {heartbeat.p256} / {heartbeat.session} |",
    "1 node / 500 nodes | {image.revoke} / {image.revoke.500} |",
  ],
  "docs/operating.md": [
    "over the same time ({heartbeat.session} gas; {heartbeat.p256}",
    "to {heartbeat.rsa} with the enclave's own key)",
  ],
  "docs/groth16-batch.md": [
    "one more signal of each of 128 proofs costs {settle.extraSignal.perProof} gas",
  ],
  "docs/open-work.md": ["bitmap slot costs {settle.single.firstInSlot} gas"],
  "docs/adr/030-gates-of-channels.md": ["It costs {channel.claim256} gas for each of 256 results"],
  "docs/adr/011-vaults-without-books.md": ["without tokens costs {vesting.release} gas"],
};
