// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../interfaces/IPageSettlementTypes.sol";
import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {Delegations} from "./Delegations.sol";

/// @title Attestations
/// @notice Validators vouch for pages, and are paid for it. A part of {ValidatorStaking}.
///
/// @dev An attestation pays for one slot here: a tally of all pages that the same signers vouched for in the epoch. Who signed which
/// page stands in the page's own slot. Pay goes by weight, so that it brings nothing to be two validators.
abstract contract Attestations is Delegations {
    /// @notice What of the pot one page takes: one in this many. Of several, each takes it of what the others leave, about.
    uint256 public constant PAGES_PER_POT = 256;

    /// @dev keccak256("Attestation(bytes32 pageId)")
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256("Attestation(bytes32 pageId)");
    uint256 private constant SIGNATURE_SIZE = 64;

    /// @inheritdoc IValidatorStaking
    function attest(
        IPageSettlementTypes.PageHeader calldata header,
        uint256[] calldata snapshot,
        uint256 signers,
        bytes calldata signatures
    ) external override {
        if (header.kind == IInferenceSettlement.Verification.Optimistic) {
            revert ValidatorStaking_KindNotOpen(header.kind);
        }
        uint256 epoch = _freeze();
        _requireSnapshot(epoch, snapshot);
        // As PageSettlement says; it refuses a header of a page that it does not know.
        bytes32 pageId = keccak256(abi.encode(block.chainid, address(PAGES), header));
        _requireQuorum(snapshot[0], _weigh(pageId, epoch, snapshot, signers, signatures));
        Tally storage tally = _tallies[epoch][signers];
        tally.fees += header.fee;
        ++tally.pages;
        PAGES.attest(header, uint24(signers));
    }

    /// @inheritdoc IValidatorStaking
    function payPages(
        uint256 epoch,
        uint256[] calldata snapshot,
        uint256[] calldata signerSets
    ) external override {
        _requireSnapshot(epoch, snapshot);
        _freeze();
        _accrue();
        uint256[] memory earned = new uint256[](snapshot.length);
        uint256 fees;
        for (uint256 i = 0; i < signerSets.length; ++i) {
            fees += _takeTally(epoch, snapshot, signerSets[i], earned);
        }
        for (uint256 i = 1; i < snapshot.length; ++i) {
            if (earned[i] == 0) continue;
            address validator = validatorOfKey[_keyIn(snapshot[i])];
            Validator storage content = _validators[validator];
            _settle(validator, content);
            content.pot += uint96(earned[i]);
        }
        if (fees == 0) return;
        _books.rewards += uint96(fees);
        PAGES.withdraw(address(this), uint128(fees));
    }

    function _attestationDigest(bytes32 pageId) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ATTESTATION_TYPEHASH, pageId)));
    }

    /// @dev Who made the compact signature (EIP-2098) at an offset; zero, which is no key, if nobody did. The other form of a
    /// signature, with s above half of the order, counts as well: nothing is known by a signature.
    function _signerOf(
        bytes32 digest,
        bytes calldata signatures,
        uint256 offset
    ) internal view returns (address signer) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            // ecrecover(digest, v, r, s), with the parity of v in the highest bit of the second word.
            let input := mload(0x40)
            let second := calldataload(add(signatures.offset, add(offset, 32)))
            mstore(input, digest)
            mstore(add(input, 32), add(27, shr(255, second)))
            mstore(add(input, 64), calldataload(add(signatures.offset, offset)))
            mstore(add(input, 96), shr(1, shl(1, second)))
            mstore(0, 0)
            pop(staticcall(gas(), 1, input, 128, 0, 32))
            signer := mload(0)
        }
    }

    function _keyIn(uint256 member) internal pure returns (address) {
        return address(uint160(member >> 96));
    }

    /// @dev What signatures of members count.
    function _weigh(
        bytes32 pageId,
        uint256 epoch,
        uint256[] calldata snapshot,
        uint256 signers,
        bytes calldata signatures
    ) private view returns (uint256 weight) {
        if (signers >> (snapshot.length - 1) != 0) {
            revert ValidatorStaking_SignersInvalid(signers, signatures.length);
        }
        bytes32 digest = _attestationDigest(pageId);
        // What was slashed since the snapshot counts no more. What left since can still be slashed, and counts.
        bool isSlashed = _epochs[epoch].isSlashed;
        uint256 offset;
        // Neither a place in calldata nor the sum of 21 stakes of 96 bits comes near 2^256.
        unchecked {
            for (uint256 i = 1; i < snapshot.length; ++i) {
                if ((signers >> (i - 1)) & 1 == 0) continue;
                uint256 member = snapshot[i];
                if (_signerOf(digest, signatures, offset) != _keyIn(member)) {
                    revert ValidatorStaking_SignatureInvalid(i - 1, _keyIn(member));
                }
                offset += SIGNATURE_SIZE;
                weight += isSlashed ? _countedOf(member, epoch) : uint96(member);
            }
        }
        if (offset != signatures.length) {
            revert ValidatorStaking_SignersInvalid(signers, signatures.length);
        }
    }

    /// @dev The smaller one of a member's frozen weight and what of it can still be slashed.
    function _countedOf(uint256 member, uint256 epoch) private view returns (uint256 counted) {
        address validator = validatorOfKey[_keyIn(member)];
        counted = _slashable(validator, _validators[validator], epoch);
        if (counted > uint96(member)) counted = uint96(member);
    }

    /// @dev Pays out what a set of signers has earned together, into `earned`.
    /// @return fees of their pages, which are still in the account at PageSettlement
    function _takeTally(
        uint256 epoch,
        uint256[] calldata snapshot,
        uint256 signers,
        uint256[] memory earned
    ) private returns (uint256 fees) {
        Tally memory tally = _tallies[epoch][signers];
        uint256 pages = tally.pages;
        if (pages == 0) revert ValidatorStaking_NothingToPay(epoch, signers);
        delete _tallies[epoch][signers];
        fees = tally.fees;
        uint256 reward = (_pagePot * pages) / (pages + PAGES_PER_POT - 1) / RATE_SCALE;
        _pagePot -= reward * RATE_SCALE;
        uint256 amount = fees + reward;
        emit PagesPaid(epoch, signers, pages, amount);
        uint256 weight;
        for (uint256 i = 1; i < snapshot.length; ++i) {
            if ((signers >> (i - 1)) & 1 == 1) weight += uint96(snapshot[i]);
        }
        // To the last unit: everyone's part is of what those before left.
        for (uint256 i = 1; i < snapshot.length; ++i) {
            uint256 own = uint96(snapshot[i]);
            if ((signers >> (i - 1)) & 1 == 0 || own == 0) continue;
            uint256 part = (amount * own) / weight;
            earned[i] += part;
            amount -= part;
            weight -= own;
        }
    }

    function _requireQuorum(uint256 terms, uint256 weight) private pure {
        uint256 total = terms >> 160;
        uint256 minimum = uint96(terms >> 64);
        if (total < minimum) revert ValidatorStaking_TotalStakeTooSmall(minimum, total);
        if (3 * weight <= 2 * total) revert ValidatorStaking_NoQuorum((2 * total) / 3, weight);
    }
}
