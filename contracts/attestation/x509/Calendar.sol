// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Calendar
/// @notice Dates of the Gregorian calendar as unix seconds.
library Calendar {
    uint256 private constant DAY = 1 days;
    /// @dev Days from 1 March of year 0 to 1 January 1970.
    uint256 private constant EPOCH_DAY = 719_468;
    /// @dev Days of the months' ends in a year that starts with March: 31, 30, 31, 30, 31, and again, come to 153
    /// in five months.
    uint256 private constant DAYS_IN_FIVE_MONTHS = 153;

    /// @notice Whether the date exists. A 60th second does not: DER times leave leap seconds out.
    function isValid(
        uint256 year,
        uint256 month,
        uint256 day,
        uint256 hour,
        uint256 minute,
        uint256 second
    ) internal pure returns (bool) {
        if (month == 0 || month > 12 || day == 0) return false;
        return day <= _daysInMonth(year, month) && hour < 24 && minute < 60 && second < 60;
    }

    /// @notice Unix seconds of a valid date from 1970 on.
    function toTimestamp(
        uint256 year,
        uint256 month,
        uint256 day,
        uint256 hour,
        uint256 minute,
        uint256 second
    ) internal pure returns (uint256) {
        // Years start with March here, so that a leap day is the last day of its year.
        uint256 marchYear = month > 2 ? year : year - 1;
        uint256 marchMonth = month > 2 ? month - 3 : month + 9;
        uint256 days_ = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400;
        days_ += (DAYS_IN_FIVE_MONTHS * marchMonth + 2) / 5 + day - 1;
        return (days_ - EPOCH_DAY) * DAY + hour * 1 hours + minute * 1 minutes + second;
    }

    function _daysInMonth(uint256 year, uint256 month) private pure returns (uint256) {
        if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    }
}
