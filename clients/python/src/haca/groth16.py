"""Groth16 on BN254, as ``Groth16`` of the contracts checks it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from py_ecc.optimized_bn128 import (
    FQ,
    FQ2,
    FQ12,
    Z1,
    Z2,
    add,
    b,
    b2,
    curve_order,
    field_modulus,
    is_inf,
    is_on_curve,
    multiply,
    neg,
    pairing,
)
from py_ecc.optimized_bn128.optimized_pairing import final_exponentiate

PROOF_LENGTH = 256
"""``A (64) | B (128) | C (64)``"""
_KEY_HEAD_LENGTH = 448
_G1_LENGTH = 64
_KEPT_KEYS = 8

# The library's points, on the curve and on its twist.
_G1 = Any
_G2 = Any


@dataclass(frozen=True)
class _ReadKey:
    gamma: _G2
    delta: _G2
    ic: tuple[_G1, ...]
    alpha_beta: Any
    """of alpha and beta, which no proof changes, before the last power"""


def is_proof(verifying_key: bytes, proof: bytes, signals: list[int]) -> bool:
    """Whether a proof holds for these signals, as many as the key has, the context last.

    Raises for a proof or key of another length, points that are not on the curve or not in the subgroup, and signals
    that are not below the group's order.
    """
    if len(proof) != PROOF_LENGTH:
        raise ValueError(f"a proof has {PROOF_LENGTH} bytes")
    if not all(0 <= signal < curve_order for signal in signals):
        raise ValueError("a signal is not below the group's order")
    key = _read_key(verifying_key)
    if len(signals) + 1 != len(key.ic):
        raise ValueError(f"the key is for {len(key.ic) - 1} signals, there are {len(signals)}")
    first, second, third = _read_g1(proof, 0), _read_g2(proof, 64), _read_g1(proof, 192)
    if is_inf(first):
        raise ValueError("A is zero")
    public = key.ic[0]
    for signal, point in zip(signals, key.ic[1:], strict=True):
        public = add(public, multiply(point, signal))
    product = (
        _paired(neg(first), second)
        * _paired(public, key.gamma)
        * _paired(third, key.delta)
        * key.alpha_beta
    )
    return bool(final_exponentiate(product) == FQ12.one())


@lru_cache(maxsize=_KEPT_KEYS)
def _read_key(data: bytes) -> _ReadKey:
    ic_length = len(data) - _KEY_HEAD_LENGTH
    if ic_length < _G1_LENGTH or ic_length % _G1_LENGTH != 0:
        raise ValueError("the verifying key has another length than any key")
    alpha, beta = _read_g1(data, 0), _read_g2(data, 64)
    gamma, delta = _read_g2(data, 192), _read_g2(data, 320)
    places = range(_KEY_HEAD_LENGTH, len(data), _G1_LENGTH)
    ic = tuple(_read_g1(data, place) for place in places)
    return _ReadKey(gamma, delta, ic, _paired(alpha, beta))


def _paired(of_g1: _G1, of_g2: _G2) -> Any:
    """A pairing before the last power, which is taken of the product; of a zero it is one."""
    return pairing(of_g2, of_g1, final_exponentiate=False)


def _read_g1(data: bytes, offset: int) -> _G1:
    """EIP-196: x | y, zeros for the point at infinity."""
    x, y = _coordinate(data, offset), _coordinate(data, offset + 32)
    if x == 0 and y == 0:
        return Z1
    point = (FQ(x), FQ(y), FQ.one())
    if not is_on_curve(point, b):
        raise ValueError("a point is not on the curve")
    return point


def _read_g2(data: bytes, offset: int) -> _G2:
    """EIP-197: imaginary parts first."""
    x1, x0, y1, y0 = (_coordinate(data, offset + 32 * place) for place in range(4))
    if x0 == x1 == y0 == y1 == 0:
        return Z2
    point = (FQ2([x0, x1]), FQ2([y0, y1]), FQ2.one())
    if not is_on_curve(point, b2):
        raise ValueError("a point is not on the curve")
    if not is_inf(multiply(point, curve_order)):
        raise ValueError("a point is not in the subgroup")
    return point


def _coordinate(data: bytes, offset: int) -> int:
    value = int.from_bytes(data[offset : offset + 32], "big")
    if value >= field_modulus:
        raise ValueError("a coordinate is not below the field's order")
    return value
