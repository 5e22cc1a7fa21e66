// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title VestingSchedule
/// @notice How much of a grant is vested at a time. The only place where that is computed.
///
/// A schedule is a part that vests at once at the token generation event, and a rest that vests in equal parts
/// per second between `start` and `end`. A cliff is nothing but a `start` that lies behind the token generation
/// event: nothing accrues before it, and reaching it releases no lump.
library VestingSchedule {
    /// @param total whole grant, in the smallest unit of the token
    /// @param tgeAmount part of `total` that is vested from `tge` on
    /// @param tge token generation event, unix seconds
    /// @param start the rest begins to accrue, unix seconds, not before `tge`
    /// @param end everything is vested, unix seconds, after `start`
    struct Schedule {
        uint96 total;
        uint96 tgeAmount;
        uint40 tge;
        uint40 start;
        uint40 end;
    }

    /// @notice Whether a schedule makes sense. The other functions presume it.
    function isValid(Schedule memory self) internal pure returns (bool) {
        return
            self.total != 0 &&
            self.tgeAmount <= self.total &&
            self.tge <= self.start &&
            self.start < self.end;
    }

    /// @notice What is vested at `time`: zero before `tge`, `total` from `end` on, never decreasing in between.
    /// Fractions of the smallest unit wait for the next second; at `end` nothing is lost to them.
    function vestedAt(Schedule memory self, uint256 time) internal pure returns (uint256) {
        if (time < self.tge) return 0;
        if (time <= self.start) return self.tgeAmount;
        if (time >= self.end) return self.total;
        // Cannot overflow: a product of 96 and 40 bits. Cannot underflow: see `isValid` and the lines above.
        unchecked {
            uint256 linear = uint256(self.total) - self.tgeAmount;
            return self.tgeAmount + (linear * (time - self.start)) / (uint256(self.end) - self.start);
        }
    }

    /// @notice First second after `time` at which more is vested than at `time`; zero if that never happens.
    function nextUnlockAfter(Schedule memory self, uint256 time) internal pure returns (uint256) {
        if (time < self.tge && self.tgeAmount != 0) return self.tge;
        uint256 linear = uint256(self.total) - self.tgeAmount;
        if (time >= self.end || linear == 0) return 0;
        uint256 duration = uint256(self.end) - self.start;
        uint256 elapsed = time > self.start ? time - self.start : 0;
        // The smallest unit to come next, and the second by which it has accrued, rounded up.
        uint256 unit = (linear * elapsed) / duration + 1;
        return self.start + (unit * duration + linear - 1) / linear;
    }
}
