// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {StakeRewards} from "./StakeRewards.sol";

/// @title ValidatorSet
/// @notice Who is a validator, with which key and commission, and who is in the set. A part of {ValidatorStaking}.
///
/// @dev A key is one validator's for ever, also when it is not in force any more: signatures by it stay theirs.
abstract contract ValidatorSet is StakeRewards, EIP712 {
    /// @notice Most commission.
    uint256 public constant MAXIMUM_COMMISSION = 2_000;
    /// @notice Seconds from the announcement of a higher commission until it can be in force: time to leave.
    uint256 public constant COMMISSION_DELAY = 7 days;
    /// @notice The same for another key.
    uint256 public constant KEY_DELAY = 2 days;

    /// @dev keccak256("SigningKey(address validator)")
    bytes32 private constant SIGNING_KEY_TYPEHASH = keccak256("SigningKey(address validator)");

    /// @inheritdoc IValidatorStaking
    function register(
        address key,
        bytes calldata consent,
        uint16 commission,
        uint96 amount
    ) external override {
        Validator storage content = _validators[msg.sender];
        if (content.key != address(0)) revert ValidatorStaking_AlreadyRegistered(msg.sender);
        _requireCommission(commission);
        _takeKey(key, consent);
        validatorOfKey[key] = msg.sender;
        content.key = key;
        content.commission = commission;
        emit ValidatorRegistered(msg.sender, key, commission);
        _delegate(msg.sender, amount);
    }

    /// @inheritdoc IValidatorStaking
    function enter(address weakest) external override {
        _freeze();
        Validator storage content = _knownValidator(msg.sender);
        if (content.isClosed) revert ValidatorStaking_Closed(msg.sender);
        if (content.place != 0) revert ValidatorStaking_PlaceInvalid(msg.sender);
        uint256 own = _stakeOf(content, _delegations[msg.sender][msg.sender].shares);
        uint256 minimum = _parameters.minimumSelfStake;
        if (own < minimum) revert ValidatorStaking_SelfStakeTooSmall(minimum, own);
        (address expected, uint256 least) = _weakest();
        if (weakest != expected) revert ValidatorStaking_NotTheWeakest(expected, weakest);
        if (expected != address(0)) {
            if (content.stake <= least) revert ValidatorStaking_NotStronger(least, content.stake);
            _remove(expected, _validators[expected]);
        }
        // Outside the set it has earned nothing by stake, and gets what it earned by pages.
        _settle(msg.sender, content);
        _members.push(msg.sender);
        content.place = uint8(_members.length);
        _activeStake += content.stake;
        emit ValidatorEntered(msg.sender);
    }

    /// @inheritdoc IValidatorStaking
    function exit() external override {
        _freeze();
        Validator storage content = _validators[msg.sender];
        if (content.place == 0) revert ValidatorStaking_PlaceInvalid(msg.sender);
        _remove(msg.sender, content);
    }

    /// @inheritdoc IValidatorStaking
    function announceKey(address key, bytes calldata consent) external override {
        _knownValidator(msg.sender);
        uint256 from = block.timestamp + KEY_DELAY;
        if (key != address(0)) _takeKey(key, consent);
        Announcement storage announcement = _announcements[msg.sender];
        announcement.key = key;
        announcement.keyFrom = uint40(from);
        emit KeyAnnounced(msg.sender, key, from);
    }

    /// @inheritdoc IValidatorStaking
    function setCommission(uint16 commission) external override {
        Validator storage content = _knownValidator(msg.sender);
        _requireCommission(commission);
        Announcement storage announcement = _announcements[msg.sender];
        if (commission > content.commission) {
            uint256 from = block.timestamp + COMMISSION_DELAY;
            announcement.commission = commission;
            announcement.commissionFrom = uint40(from);
            emit CommissionAnnounced(msg.sender, commission, from);
        } else {
            announcement.commissionFrom = 0;
            _changeCommission(msg.sender, content, commission);
        }
    }

    /// @inheritdoc IValidatorStaking
    function applyAnnouncements(address validator) external override {
        _freeze();
        Validator storage content = _knownValidator(validator);
        Announcement memory announcement = _announcements[validator];
        bool hasKey = announcement.key != address(0) && block.timestamp >= announcement.keyFrom;
        bool hasCommission =
            announcement.commissionFrom != 0 && block.timestamp >= announcement.commissionFrom;
        if (!hasKey && !hasCommission) revert ValidatorStaking_NothingAnnounced(validator);
        if (hasKey) {
            _announcements[validator].key = address(0);
            // Somebody else may have announced the same one; only who has it in force first does.
            if (validatorOfKey[announcement.key] != address(0)) {
                revert ValidatorStaking_KeyInvalid(announcement.key);
            }
            validatorOfKey[announcement.key] = validator;
            content.key = announcement.key;
            emit KeyChanged(validator, announcement.key);
        }
        if (hasCommission) {
            _announcements[validator].commissionFrom = 0;
            _changeCommission(validator, content, announcement.commission);
        }
    }

    function _delegate(address validator, uint96 amount) internal virtual returns (uint256 shares);

    /// @dev Takes a validator out of the set; the last member gets its place.
    function _remove(address validator, Validator storage content) internal {
        _settle(validator, content);
        _activeStake -= content.stake;
        uint8 place = content.place;
        content.place = 0;
        address last = _members[_members.length - 1];
        if (last != validator) {
            _members[place - 1] = last;
            _validators[last].place = place;
        }
        _members.pop();
        emit ValidatorLeft(validator);
    }

    function _changeCommission(address validator, Validator storage content, uint16 commission) private {
        // What was earned by now is divided as it was announced then.
        _settle(validator, content);
        content.commission = commission;
        emit CommissionChanged(validator, commission);
    }

    /// @dev A key's holder says that it is this validator's: nobody takes the key of another one who is about to register.
    function _takeKey(address key, bytes calldata consent) private view {
        if (key == address(0) || validatorOfKey[key] != address(0)) {
            revert ValidatorStaking_KeyInvalid(key);
        }
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(SIGNING_KEY_TYPEHASH, msg.sender)));
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, consent);
        if (problem != ECDSA.RecoverError.NoError || signer != key) {
            revert ValidatorStaking_NoConsentOfKey(key);
        }
    }

    /// @dev The member with the least stake, the first of several; nobody while there is room.
    function _weakest() private view returns (address weakest, uint256 least) {
        uint256 count = _members.length;
        if (count < MAXIMUM_MEMBERS) return (address(0), 0);
        least = type(uint256).max;
        for (uint256 i = 0; i < count; ++i) {
            address member = _members[i];
            uint256 stake = _validators[member].stake;
            if (stake < least) (weakest, least) = (member, stake);
        }
    }

    function _requireCommission(uint256 commission) private pure {
        if (commission > MAXIMUM_COMMISSION) {
            revert ValidatorStaking_CommissionInvalid(MAXIMUM_COMMISSION, commission);
        }
    }
}
