// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPageSettlement} from "../../interfaces/IPageSettlement.sol";
import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {PoolShares} from "./PoolShares.sol";

/// @title StakeStorage
/// @notice What is stored of validators and their stake, the snapshots of epochs, and the parameters. A part of
/// {ValidatorStaking}.
///
/// @dev All OPG there ever was is below 2^90, so that sums of amounts fit 96 bits.
abstract contract StakeStorage is IValidatorStaking, AccessManaged {
    using SafeERC20 for IERC20;

    /// @notice Seconds of an epoch.
    uint256 public constant EPOCH = 1 days;
    /// @notice Seconds for which stake that leaves answers: an epoch, the longest road with a request for a leaf at its end,
    /// the time for evidence after that, and four days to slash in.
    uint256 public constant UNBONDING = 21 days;
    /// @notice Most members of the set.
    uint256 public constant MAXIMUM_MEMBERS = 21;
    /// @notice Least that goes into a pool at a time. With dust nobody can do anything to a pool's shares, then.
    uint256 public constant MINIMUM_DELEGATION = 1e18;
    /// @dev All parts are of this.
    uint256 internal constant WHOLE = 10_000;

    /// @notice Bounds of the parameters.
    uint256 public constant LEAST_SELF_STAKE = 100e18;
    uint256 public constant LEAST_TOTAL_STAKE = 1_000e18;
    uint256 public constant MOST_STAKE = 100_000_000e18;
    uint256 public constant LEAST_SLASH_WITH_QUORUM = 100;
    uint256 public constant MOST_SLASH_WITH_QUORUM = 1_000;
    uint256 public constant LEAST_SLASH_WITHOUT = 10;
    /// @dev As much as the most that one page costs: whatever governance sets, every slash can be made one day.
    uint256 public constant LEAST_DAILY_SLASH = MOST_SLASH_WITH_QUORUM;

    /// @notice The token, OPG.
    ERC20Burnable public immutable TOKEN;
    /// @notice The pages.
    IPageSettlement public immutable PAGES;

    Parameters internal _parameters;
    Books internal _books;
    address[] internal _members;
    mapping(address validator => Validator content) internal _validators;
    mapping(address validator => Announcement content) internal _announcements;
    mapping(address validator => mapping(address delegator => Delegation content)) internal _delegations;
    mapping(address validator => mapping(uint256 epoch => Unbonding content)) internal _unbonding;
    mapping(address validator => mapping(uint256 epoch => mapping(address delegator => uint128 shares)))
        internal _unbondingShares;
    /// @inheritdoc IValidatorStaking
    mapping(address key => address validator) public override validatorOfKey;
    /// @dev In one slot: an attestation has to know both.
    struct Epoch {
        bytes31 snapshotHash;
        /// whether somebody was slashed in it
        bool isSlashed;
    }
    mapping(uint256 number => Epoch content) internal _epochs;
    mapping(uint256 epoch => mapping(uint256 signers => Tally content)) internal _tallies;

    constructor(ERC20Burnable token, IPageSettlement pages) {
        if (address(token).code.length == 0) revert ValidatorStaking_NotAContract(address(token));
        if (address(pages).code.length == 0) revert ValidatorStaking_NotAContract(address(pages));
        TOKEN = token;
        PAGES = pages;
    }

    /// @inheritdoc IValidatorStaking
    function freeze() external override {
        _freeze();
    }

    /// @inheritdoc IValidatorStaking
    function setParameters(Parameters calldata parameters) external override restricted {
        // What is set now is for the epochs to come.
        _freeze();
        _setParameters(parameters);
    }

    /// @inheritdoc IValidatorStaking
    function membersNow() external view override returns (address[] memory) {
        return _members;
    }

    /// @inheritdoc IValidatorStaking
    function validatorOf(address validator) external view override returns (Validator memory) {
        return _validators[validator];
    }

    /// @inheritdoc IValidatorStaking
    function announcementOf(address validator) external view override returns (Announcement memory) {
        return _announcements[validator];
    }

    /// @inheritdoc IValidatorStaking
    function delegationOf(
        address validator,
        address delegator
    ) external view override returns (Delegation memory content, uint256 stake) {
        content = _delegations[validator][delegator];
        stake = _stakeOf(_validators[validator], content.shares);
    }

    /// @inheritdoc IValidatorStaking
    function unbondingOf(
        address validator,
        uint256 epoch,
        address delegator
    ) external view override returns (Unbonding memory content, uint256 amount) {
        content = _unbonding[validator][epoch];
        uint256 shares = _unbondingShares[validator][epoch][delegator];
        amount = PoolShares.worthOf(shares, content.amount, content.shares);
    }

    /// @inheritdoc IValidatorStaking
    function snapshotHashOf(uint256 epoch) external view override returns (bytes31) {
        return _epochs[epoch].snapshotHash;
    }

    /// @inheritdoc IValidatorStaking
    function tallyOf(uint256 epoch, uint256 signers) external view override returns (Tally memory) {
        return _tallies[epoch][signers];
    }

    /// @inheritdoc IValidatorStaking
    function booksNow() external view override returns (Books memory) {
        return _books;
    }

    /// @inheritdoc IValidatorStaking
    function parametersNow() external view override returns (Parameters memory) {
        return _parameters;
    }

    /// @inheritdoc IValidatorStaking
    function snapshotNow() public view override returns (uint256[] memory snapshot) {
        uint256 count = _members.length;
        snapshot = new uint256[](count + 1);
        uint256 total;
        for (uint256 i = 0; i < count; ++i) {
            Validator storage content = _validators[_members[i]];
            uint256 stake = content.stake;
            total += stake;
            snapshot[i + 1] = (uint256(uint160(content.key)) << 96) | stake;
        }
        Parameters memory parameters = _parameters;
        snapshot[0] =
            (total << 160) |
            (uint256(parameters.minimumTotalStake) << 64) |
            (uint256(parameters.slashWithQuorum) << 48) |
            (uint256(parameters.slashWithout) << 32);
    }

    /// @dev Comes before everything that changes set, weights or parameters, so that what it fixes is what was there when the
    /// epoch began.
    function _freeze() internal returns (uint256 epoch) {
        epoch = block.timestamp / EPOCH;
        if (_epochs[epoch].snapshotHash != 0) return epoch;
        uint256[] memory snapshot = snapshotNow();
        _epochs[epoch].snapshotHash = bytes31(keccak256(abi.encodePacked(snapshot)));
        emit SnapshotFrozen(epoch, snapshot);
    }

    function _requireSnapshot(uint256 epoch, uint256[] calldata snapshot) internal view {
        bytes31 expected = _epochs[epoch].snapshotHash;
        bytes31 actual = bytes31(keccak256(abi.encodePacked(snapshot)));
        if (expected != actual) revert ValidatorStaking_NotTheSnapshot(epoch, expected, actual);
    }

    function _setParameters(Parameters memory parameters) internal {
        _requireWithin(LEAST_SELF_STAKE, MOST_STAKE, parameters.minimumSelfStake);
        _requireWithin(LEAST_TOTAL_STAKE, MOST_STAKE, parameters.minimumTotalStake);
        _requireWithin(LEAST_SLASH_WITH_QUORUM, MOST_SLASH_WITH_QUORUM, parameters.slashWithQuorum);
        _requireWithin(LEAST_SLASH_WITHOUT, parameters.slashWithQuorum, parameters.slashWithout);
        _requireWithin(LEAST_DAILY_SLASH, WHOLE, parameters.dailySlash);
        // Whoever slashes themselves loses four times what they get, on the stake that they need.
        uint256 mostBounty = (uint256(parameters.minimumSelfStake) * parameters.slashWithout) / (4 * WHOLE);
        _requireWithin(0, mostBounty, parameters.bounty);
        _parameters = parameters;
        emit ParametersChanged(parameters);
    }

    function _knownValidator(address validator) internal view returns (Validator storage content) {
        content = _validators[validator];
        if (content.key == address(0)) revert ValidatorStaking_UnknownValidator(validator);
    }

    /// @dev What shares of a pool are worth, rounded down.
    function _stakeOf(Validator storage content, uint256 shares) internal view returns (uint256) {
        return PoolShares.worthOf(shares, content.stake, content.shares);
    }

    function _pull(uint256 amount) internal {
        IERC20(address(TOKEN)).safeTransferFrom(msg.sender, address(this), amount);
    }

    function _pay(address receiver, uint256 amount) internal {
        IERC20(address(TOKEN)).safeTransfer(receiver, amount);
    }

    function _requireWithin(uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert ValidatorStaking_ParameterInvalid(minimum, maximum, actual);
        }
    }
}
