// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IRequestLedger} from "../../interfaces/IRequestLedger.sol";
import {RequestIds} from "../RequestIds.sol";

/// @title RequestLedger
/// @notice See {IRequestLedger}. A part of {InferenceSettlement}, which records without a call: as a contract of its own
/// it would cost every single result a cold account and a look at its writers (docs/adr/021-settlement-kinds.md).
///
/// @dev A bit that is set and held by no writer is set for good: `_record` and `_recordAll` never hold, and `release`
/// clears only what its caller holds.
abstract contract RequestLedger is IRequestLedger, AccessManaged {
    /// @notice Most contracts that are ever made writers; `isSettled` looks at each.
    uint256 public constant MAXIMUM_WRITERS = 16;

    mapping(uint256 page => uint256 bitmap) private _pages;
    mapping(address writer => mapping(uint256 page => uint256 bitmap)) private _held;
    /// @dev Bit i of group g: a writer holds all of page 256 g + i. Whole pages are what writers mostly hold, and a bit here
    /// costs a fifth of a bitmap of their own.
    mapping(address writer => mapping(uint256 group => uint256 pages)) private _heldWhole;
    /// @dev All that ever were, so that what a former writer holds is not taken for settled.
    address[] private _writers;

    /// @inheritdoc IRequestLedger
    mapping(address writer => bool allowed) public override isLedgerWriter;

    /// @inheritdoc IRequestLedger
    function hold(uint256 page, uint256 bitmap) external override returns (uint256 taken) {
        _requireWriter();
        uint256 before = _pages[page];
        taken = bitmap & ~before;
        if (taken == 0) return 0;
        _pages[page] = before | taken;
        if (taken == type(uint256).max) _heldWhole[msg.sender][page >> 8] |= _wholeBit(page);
        else _held[msg.sender][page] |= taken;
    }

    /// @inheritdoc IRequestLedger
    function release(uint256 page, uint256 bitmap) external override {
        // Who is no writer any more still gives back what it holds: it has to, where a page of it turns out to be wrong.
        uint256 held = heldBy(msg.sender, page);
        if (bitmap & ~held != 0) revert RequestLedger_NotHeld(page, held, bitmap);
        _pages[page] &= ~bitmap;
        uint256 rest = held & ~bitmap;
        uint256 whole = _wholeBit(page);
        // All that was taken in parts is held, and is not whole: it has a bitmap to clear.
        if (_heldWhole[msg.sender][page >> 8] & whole != 0) {
            if (rest == held) return;
            _heldWhole[msg.sender][page >> 8] &= ~whole;
            if (rest == 0) return;
        }
        _held[msg.sender][page] = rest;
    }

    /// @inheritdoc IRequestLedger
    function setLedgerWriter(address writer, bool allowed) external override restricted {
        // Code is asked for when a writer is named, and only then: an account that gets rid of its code (EIP-7702) must not
        // stay one for good.
        if (isLedgerWriter[writer] == allowed || (allowed && writer.code.length == 0)) {
            revert RequestLedger_WriterInvalid(writer);
        }
        isLedgerWriter[writer] = allowed;
        if (allowed && !_isKnownWriter(writer)) {
            if (_writers.length == MAXIMUM_WRITERS) revert RequestLedger_WriterInvalid(writer);
            _writers.push(writer);
        }
        emit LedgerWriterChanged(writer, allowed);
    }

    /// @inheritdoc IRequestLedger
    function isSettled(bytes32 requestId) external view override returns (bool) {
        uint256 page = RequestIds.pageOf(requestId);
        uint256 bit = RequestIds.bitOf(requestId);
        if (_pages[page] & bit == 0) return false;
        for (uint256 i = 0; i < _writers.length; ++i) {
            if (heldBy(_writers[i], page) & bit != 0) return false;
        }
        return true;
    }

    /// @inheritdoc IRequestLedger
    function occupied(uint256 page) public view override returns (uint256) {
        return _pages[page];
    }

    /// @inheritdoc IRequestLedger
    function heldBy(address writer, uint256 page) public view override returns (uint256) {
        bool isWhole = _heldWhole[writer][page >> 8] & _wholeBit(page) != 0;
        return isWhole ? type(uint256).max : _held[writer][page];
    }

    /// @dev Records a request for good. Reverts if it is taken.
    function _record(bytes32 requestId) internal {
        uint256 page = RequestIds.pageOf(requestId);
        uint256 bitmap = _pages[page];
        uint256 bit = RequestIds.bitOf(requestId);
        if (bitmap & bit != 0) revert IInferenceSettlement.InferenceSettlement_AlreadySettled(requestId);
        _pages[page] = bitmap | bit;
    }

    /// @dev Records requests of one page for good. The caller has looked that they are free.
    function _recordAll(uint256 page, uint256 bitmap) internal {
        _pages[page] |= bitmap;
    }

    function _requireWriter() internal view {
        if (!isLedgerWriter[msg.sender]) revert RequestLedger_NotWriter(msg.sender);
    }

    function _wholeBit(uint256 page) private pure returns (uint256) {
        return 1 << (page & 0xff);
    }

    /// @dev Whether a contract is a writer, or was one.
    function _isKnownWriter(address writer) internal view returns (bool) {
        for (uint256 i = 0; i < _writers.length; ++i) {
            if (_writers[i] == writer) return true;
        }
        return false;
    }
}
