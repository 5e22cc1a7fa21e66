// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @title Permit2StandIn
/// @notice What of Permit2 a payment by x402 meets: transfers by signature, with a witness and without one, its typed data and its
/// bitmap of nonces, written from its documentation. The genuine bytecode is not the project's to keep.
contract Permit2StandIn {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    error SignatureExpired(uint256 deadline);
    error InvalidAmount(uint256 maxAmount);
    error InvalidNonce();
    error InvalidSigner();
    error TransferFailed();

    string private constant TYPE_STUB =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";
    bytes32 private constant PLAIN_TYPEHASH = keccak256(
        "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)TokenPermissions(address token,uint256 amount)"
    );
    bytes32 private constant PERMISSIONS_TYPEHASH = keccak256(
        "TokenPermissions(address token,uint256 amount)"
    );

    mapping(address owner => mapping(uint256 word => uint256 bits)) public nonceBitmap;

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata details,
        address owner,
        bytes32 witness,
        string calldata witnessType,
        bytes calldata signature
    ) external {
        _transfer(permit, details, owner, _digest(permit, witness, witnessType), signature);
    }

    function permitTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata details,
        address owner,
        bytes calldata signature
    ) external {
        bytes32 content = keccak256(
            abi.encode(PLAIN_TYPEHASH, _permitted(permit), msg.sender, permit.nonce, permit.deadline)
        );
        _transfer(permit, details, owner, _digestOf(content), signature);
    }

    function _transfer(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata details,
        address owner,
        bytes32 digest,
        bytes calldata signature
    ) private {
        if (block.timestamp > permit.deadline) revert SignatureExpired(permit.deadline);
        uint256 maximum = permit.permitted.amount;
        if (details.requestedAmount > maximum) revert InvalidAmount(maximum);
        _useNonce(owner, permit.nonce);
        if (_signerOf(digest, signature) != owner) revert InvalidSigner();
        IToken token = IToken(permit.permitted.token);
        if (!token.transferFrom(owner, details.to, details.requestedAmount)) revert TransferFailed();
    }

    function _signerOf(bytes32 digest, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) revert InvalidSigner();
        bytes32 r = bytes32(signature[:32]);
        bytes32 s = bytes32(signature[32:64]);
        address signer = ecrecover(digest, uint8(signature[64]), r, s);
        if (signer == address(0)) revert InvalidSigner();
        return signer;
    }

    function _useNonce(address owner, uint256 nonce) private {
        uint256 bit = 1 << (nonce & 0xff);
        if (nonceBitmap[owner][nonce >> 8] & bit != 0) revert InvalidNonce();
        nonceBitmap[owner][nonce >> 8] |= bit;
    }

    function _digest(
        PermitTransferFrom calldata permit,
        bytes32 witness,
        string calldata witnessType
    ) private view returns (bytes32) {
        bytes32 typeHash = keccak256(abi.encodePacked(TYPE_STUB, witnessType));
        return
            _digestOf(
                keccak256(
                    abi.encode(
                        typeHash,
                        _permitted(permit),
                        msg.sender,
                        permit.nonce,
                        permit.deadline,
                        witness
                    )
                )
            );
    }

    function _permitted(PermitTransferFrom calldata permit) private pure returns (bytes32) {
        return keccak256(abi.encode(PERMISSIONS_TYPEHASH, permit.permitted.token, permit.permitted.amount));
    }

    function _digestOf(bytes32 content) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, content));
    }
}
