import { describe, expect, it } from "vitest";
import { checkNatspec } from "./checkNatspec.ts";

const check = (text: string) => {
  const file = "contracts/interfaces/IA.sol";
  return checkNatspec({ files: new Set([file, "contracts/A.sol"]), read: () => text });
};

describe("checkNatspec", () => {
  it("wants to know when an error is thrown, and what each argument means", () => {
    const told = "    /// @notice When.\n    /// @param a what\n    error A_B(uint256 a);\n";
    expect(check(told)).toEqual([]);
    expect(check("    /// @dev When.\n    error A_B(uint256 a, bytes32 b);\n")).toEqual([
      "contracts/interfaces/IA.sol: error A_B has no @notice",
      "contracts/interfaces/IA.sol: error A_B has no @param for a",
      "contracts/interfaces/IA.sol: error A_B has no @param for b",
    ]);
  });

  it("wants to know what each field of a struct means", () => {
    const struct = "    struct S {\n        uint256 a;\n        // slot\n        bytes b;\n    }\n";
    expect(check(`    /// @notice What.\n    /// @param a one\n${struct}`)).toEqual([
      "contracts/interfaces/IA.sol: struct S has no @param for b",
    ]);
  });
});
