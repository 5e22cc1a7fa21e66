// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {IUptoProxy} from "../../../contracts/interfaces/IUptoProxy.sol";
import {InferenceResults} from "../../../contracts/settlement/InferenceResults.sol";
import {HostileToken} from "./HostileToken.sol";

/// @title SettledResults
/// @notice What escrow and gates ask of settlement and pages, as a test says it: both contracts in one.
contract SettledResults {
    mapping(bytes32 requestId => bytes32 digest) public digestOf;
    IPageSettlementTypes.PageState public state;

    function SETTLEMENT() external view returns (address) {
        return address(this);
    }

    function parametersNow() external pure returns (IPageSettlementTypes.Parameters memory parameters) {
        parameters.longRoad = 2 days;
    }

    function settle(
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) external {
        bytes32 digest = InferenceResults.toDigest(address(this), InferenceResults.hashStruct(result));
        digestOf[result.requestId] = keccak256(abi.encode(kind, digest));
    }

    function setState(IPageSettlementTypes.PageState next) external {
        state = next;
    }

    function pageIdOf(IPageSettlementTypes.PageHeader calldata header) external pure returns (bytes32) {
        return keccak256(abi.encode(header));
    }

    function stateOfPage(bytes32) external view returns (IPageSettlementTypes.PageState, uint256) {
        return (state, 0);
    }

    function verifyInclusion(
        IPageSettlementTypes.PageHeader calldata,
        IPageSettlementTypes.Leaf calldata
    ) external view returns (IPageSettlementTypes.PageState, uint256, uint256) {
        return (state, 0, 0);
    }
}

/// @title ApprovedProxy
/// @notice Moves what payers have approved, each nonce once, for the facilitator that calls.
contract ApprovedProxy is IUptoProxy {
    mapping(address payer => mapping(uint256 nonce => bool)) private _isUsed;

    function settle(
        PermitTransferFrom calldata permit,
        uint256 amount,
        address owner,
        Witness calldata witness,
        bytes calldata
    ) external override {
        require(msg.sender == witness.facilitator && !_isUsed[owner][permit.nonce], "permit");
        _isUsed[owner][permit.nonce] = true;
        require(HostileToken(permit.permitted.token).transferFrom(owner, witness.to, amount), "transfer");
    }
}

/// @title OpenAuthority
/// @notice Whoever asks may.
contract OpenAuthority {
    function canCall(address, address, bytes4) external pure returns (bool isAllowed, uint32 delay) {
        return (true, 0);
    }
}
