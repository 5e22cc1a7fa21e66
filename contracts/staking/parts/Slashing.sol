// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../interfaces/IPageSettlementTypes.sol";
import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {Attestations} from "./Attestations.sol";
import {PoolShares} from "./PoolShares.sol";

/// @title Slashing
/// @notice Validators answer for what they could have seen to be wrong. A part of {ValidatorStaking}.
///
/// Nobody judges anything here: {PageSettlement} has found a page to be wrong, and why. Reasons up to InvalidSignature
/// follow from the page alone, so that whoever signs pages that `judgeLeaf` finds good is never slashed. Everything that is slashed is
/// burned; the caller's bounty comes on top of it, so that a validator who slashes themselves loses more than they get.
abstract contract Slashing is Attestations {
    /// @notice Seconds from the end of a page in which signatures count that no quorum brought.
    uint256 public constant EVIDENCE_TIME = 7 days;

    mapping(bytes32 pageId => mapping(address validator => bool isSlashed)) private _slashedFor;

    /// @inheritdoc IValidatorStaking
    function slash(bytes32 pageId, uint256[] calldata snapshot, uint256 index) external override {
        (IPageSettlementTypes.PageRecord memory record, uint256 signers) = _requireSlashable(pageId);
        if ((signers >> index) & 1 == 0) revert ValidatorStaking_SignerInvalid(pageId, index);
        uint256 epoch = record.attestedAt / EPOCH;
        _requireSnapshot(epoch, snapshot);
        _slash(pageId, epoch, snapshot[index + 1], uint16(snapshot[0] >> 48));
    }

    /// @inheritdoc IValidatorStaking
    function slashShown(
        bytes32 pageId,
        uint256 epoch,
        uint256[] calldata snapshot,
        uint256 index,
        bytes calldata signature
    ) external override {
        (IPageSettlementTypes.PageRecord memory record, uint256 signers) = _requireSlashable(pageId);
        // They alone have no short road. Nobody can vouch for one, so that a signature for it shortens nothing.
        if (record.shortRoad == 0) {
            revert ValidatorStaking_KindNotOpen(IInferenceSettlement.Verification.Optimistic);
        }
        uint256 latest = record.endedAt + EVIDENCE_TIME;
        if (block.timestamp > latest) revert ValidatorStaking_TooLate(latest, block.timestamp);
        // Of an attested page the one epoch, in whose snapshot it can be seen that the member was not part of the quorum:
        // otherwise signers could get away with the smaller slash.
        bool isOfTime =
            signers == 0
                ? epoch >= record.proposedAt / EPOCH && epoch <= record.endedAt / EPOCH
                : epoch == record.attestedAt / EPOCH && (signers >> index) & 1 == 0;
        if (!isOfTime || index + 1 >= snapshot.length) {
            revert ValidatorStaking_SignerInvalid(pageId, index);
        }
        _requireSnapshot(epoch, snapshot);
        uint256 member = snapshot[index + 1];
        address key = _keyIn(member);
        if (signature.length != 64 || _signerOf(_attestationDigest(pageId), signature, 0) != key) {
            revert ValidatorStaking_SignatureInvalid(index, key);
        }
        _slash(pageId, epoch, member, uint16(snapshot[0] >> 32));
    }

    function _slash(bytes32 pageId, uint256 epoch, uint256 member, uint256 part) private {
        address validator = validatorOfKey[_keyIn(member)];
        if (_slashedFor[pageId][validator]) revert ValidatorStaking_AlreadySlashed(pageId, validator);
        _slashedFor[pageId][validator] = true;
        _epochs[_freeze()].isSlashed = true;
        Validator storage content = _validators[validator];
        // What was earned before is not slashed, and is divided by the shares' worth before.
        _settle(validator, content);
        uint256 slashable = _slashable(validator, content, epoch);
        uint256 lost = PoolShares.partOf(slashable, part, WHOLE);
        if (lost == 0) revert ValidatorStaking_AmountInvalid(1, slashable, 0);
        _countForDay(content, slashable, lost);
        uint256 bounty = _parameters.bounty;
        if (bounty > lost) bounty = lost;
        uint256 taken = _take(validator, content, epoch, lost + bounty, slashable);
        // Rounding is the caller's loss.
        uint256 burned = lost < taken ? lost : taken;
        bounty = taken - burned;
        emit Slashed(validator, pageId, epoch, slashable, taken, bounty);
        if (burned != 0) TOKEN.burn(burned);
        if (bounty != 0) _pay(msg.sender, bounty);
    }

    /// @dev So that a fault which hits many pages at once leaves time to think. The rest waits, and can be slashed later.
    function _countForDay(Validator storage content, uint256 slashable, uint256 lost) private {
        uint256 day = block.timestamp / EPOCH;
        uint256 left = content.slashLeft;
        if (content.slashDay != day) {
            content.slashDay = uint32(day);
            left = (slashable * _parameters.dailySlash) / WHOLE;
        }
        if (lost > left) revert ValidatorStaking_DailySlashReached(left, lost);
        content.slashLeft = uint96(left - lost);
    }

    /// @return record of the page
    /// @return signers of the quorum that this contract told of; zero if it told of none
    function _requireSlashable(
        bytes32 pageId
    ) private view returns (IPageSettlementTypes.PageRecord memory record, uint256 signers) {
        record = PAGES.pageOf(pageId);
        if (
            record.reason == IPageSettlementTypes.Reason.None ||
            record.reason > IPageSettlementTypes.Reason.InvalidSignature
        ) {
            revert ValidatorStaking_NotSlashable(pageId, record.reason);
        }
        // An attester before or after this one numbers others.
        if (record.attestedAt != 0 && PAGES.attesterAt(record.attesterNumber) == address(this)) {
            signers = record.signers;
        }
    }
}
