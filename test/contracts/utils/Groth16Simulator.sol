// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Groth16} from "../../../contracts/crypto/Groth16.sol";

/// @title Groth16Simulator
/// @notice Keys whose discrete logarithms are known, and proofs made with them: who knows the trapdoor can prove
/// anything. G2 points come from a table, since no precompile multiplies in G2.
library Groth16Simulator {
    uint256 private constant R = Groth16.SCALAR_ORDER;
    /// @dev beta = 2, gamma = 3, delta = 5, as multiples of the G2 generator.
    uint256 private constant BETA = 2;
    uint256 private constant GAMMA = 3;
    uint256 private constant DELTA = 5;
    uint256 private constant TABLE_LENGTH = 7;

    error MultiplicationFailed();

    struct Trapdoor {
        uint256 alpha;
        uint256[] ic;
    }

    /// @notice A trapdoor for `signalCount` public signals, derived from `seed`.
    function makeTrapdoor(
        uint256 seed,
        uint256 signalCount
    ) internal pure returns (Trapdoor memory trapdoor) {
        trapdoor.alpha = scalar(seed, 0);
        trapdoor.ic = new uint256[](signalCount + 1);
        for (uint256 i = 0; i <= signalCount; ++i) {
            trapdoor.ic[i] = scalar(seed, i + 1);
        }
    }

    function makeKey(Trapdoor memory trapdoor) internal view returns (bytes memory key) {
        key = bytes.concat(g1(trapdoor.alpha), g2(BETA), g2(GAMMA), g2(DELTA));
        for (uint256 i = 0; i < trapdoor.ic.length; ++i) {
            key = bytes.concat(key, g1(trapdoor.ic[i]));
        }
    }

    /// @notice A proof that holds for `signals`: A and B are free, and C solves the equation.
    function makeProof(
        Trapdoor memory trapdoor,
        uint256[] memory signals,
        uint256 seed
    ) internal view returns (bytes memory) {
        uint256 a = scalar(seed, 0);
        uint256 b = 1 + (seed % TABLE_LENGTH);
        uint256 l = trapdoor.ic[0];
        for (uint256 i = 0; i < signals.length; ++i) {
            l = addmod(l, mulmod(signals[i], trapdoor.ic[i + 1], R), R);
        }
        uint256 rest = addmod(mulmod(trapdoor.alpha, BETA, R), mulmod(l, GAMMA, R), R);
        uint256 c = mulmod(addmod(mulmod(a, b, R), R - rest, R), inverse(DELTA), R);
        return bytes.concat(g1(a), g2(b), g1(c));
    }

    /// @notice A scalar in [1, r).
    function scalar(uint256 seed, uint256 index) internal pure returns (uint256) {
        return 1 + (uint256(keccak256(abi.encode(seed, index))) % (R - 1));
    }

    /// @notice `factor` times the generator of G1.
    function g1(uint256 factor) internal view returns (bytes memory point) {
        bool isDone;
        (isDone, point) = address(7).staticcall(abi.encode(1, 2, factor));
        if (!isDone) revert MultiplicationFailed();
    }

    /// @notice `factor` times the generator of G2, imaginary parts first. `factor` is 1 to 7.
    function g2(uint256 factor) internal pure returns (bytes memory) {
        bytes memory table = bytes.concat(
            hex"198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
            hex"203e205db4f19b37b60121b83a7333706db86431c6d835849957ed8c3928ad7927dc7234fd11d3e8c36c59277c3e6f149d5cd3cfa9a62aee49f8130962b4b3b9195e8aa5b7827463722b8c153931579d3505566b4edf48d498e185f0509de15204bb53b8977e5f92a0bc372742c4830944a59b4fe6b1c0466e2a6dad122b5d2e",
            hex"1014772f57bb9742735191cd5dcfe4ebbc04156b6878a0a7c9824f32ffb66e8506064e784db10e9051e52826e192715e8d7e478cb09a5e0012defa0694fbc7f5021e2335f3354bb7922ffcc2f38d3323dd9453ac49b55441452aeaca147711b2058e1d5681b5b9e0074b0f9c8d2c68a069b920d74521e79765036d57666c5597",
            hex"290668479e567ad5a2485a93f976d784206f66f690a18c3f5a6d85c29571236f29dddbf86f6a2f47c38063a850ccc442131570e5084c45fd7709b4ddb436e22c1e74a4bf519c267a5b16431b2413b00402d4d3b670c9414b8efff5bee661a8f6299f0af7f72b3a93ca7c3cc32443c83b05d041bd14276e5adca2546728bc37f7",
            hex"0a09ccf561b55fd99d1c1208dee1162457b57ac5af3759d50671e510e428b2a12e539c423b302d13f4e5773c603948eaf5db5df8ae8a9a9113708390a06410d819b763513924a736e4eebd0d78c91c1bc1d657fee4214057d21414011cfcc7632f8d9f9ab83727c77a2fec063cb7b6e5eb23044ccf535ad49d46d394fb6f6bf6",
            hex"1b4b60273ae700a7e2ffc04e19e316074a5977c8da56b75675927e2eee23772e1687f985433b446b85eb6d0a574fc152f681c032d27e6207569faca9c8329b961e7cf2fd8b4bc0d81e4719f009a5ecb7d925c970bc57889f3627d86629dc31d824fb6baf4cf6d7ca7eaa668cda36d088502b3587667b6eb8f2b874622575e586",
            hex"2903ba015a9abde26a5d081e84551e63be0fd4516e46ee6d593edeba46362455224bdc5d4327fcf8ed702e01de1c2f1657a253ba75e32a89c390142aaa28b30803c8b7cda6b2dedb7aeeaf5fda464ad17036bea1c4e6f7adbaed1ebe0335e0d81d92fff52a265017eeccb372e37d7a7bd431800eca28dfd82e21e8054114233f"
        );
        bytes memory point = new bytes(Groth16.G2_LENGTH);
        for (uint256 i = 0; i < Groth16.G2_LENGTH; ++i) {
            point[i] = table[(factor - 1) * Groth16.G2_LENGTH + i];
        }
        return point;
    }

    /// @dev a^(r - 2) mod r.
    function inverse(uint256 a) private pure returns (uint256 result) {
        result = 1;
        for (uint256 exponent = R - 2; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, a, R);
            a = mulmod(a, a, R);
        }
    }
}
