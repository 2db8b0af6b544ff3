# SPDX-License-Identifier: Apache-2.0
"""Deterministic ECDSA signatures (RFC 6979): the same image and key give the same bytes in every build.

python3-cryptography signs with random nonces only, so the few lines of arithmetic are here; it does the rest. Meant for
the machine that builds: nothing is done against timing attacks.
"""

import dataclasses
import hashlib
import hmac


@dataclasses.dataclass(frozen=True)
class Curve:
    """y^2 = x^3 - 3x + b over GF(p), order n, base point g (SP 800-186, section 3.2.1)."""

    p: int
    n: int
    g: tuple
    hash: str

    @property
    def scalar_bytes(self):
        return (self.n.bit_length() + 7) // 8


P256 = Curve(
    p=0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff,
    n=0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    g=(0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
       0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
    hash="sha256")
P384 = Curve(
    p=0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff,
    n=0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
    g=(0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
       0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
    hash="sha384")


def _add(curve, one, other):
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % curve.p == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, curve.p)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, curve.p)
    x = (slope * slope - one[0] - other[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


def _multiply(curve, scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = _add(curve, result, point)
        point = _add(curve, point, point)
        scalar >>= 1
    return result


def _nonces(curve, private, digest):
    """RFC 6979, section 3.2; the digest is as long as the curve's order."""
    size = curve.scalar_bytes
    seed = private.to_bytes(size, "big") + (int.from_bytes(digest, "big") % curve.n).to_bytes(size, "big")

    def mac(key, data):
        return hmac.new(key, data, curve.hash).digest()

    value, key = b"\1" * size, bytes(size)
    for step in (b"\0", b"\1"):
        key = mac(key, value + step + seed)
        value = mac(key, value)
    while True:
        value = mac(key, value)
        yield int.from_bytes(value, "big")
        key = mac(key, value + b"\0")
        value = mac(key, value)


def sign(curve, private, message):
    """Returns r and s, big-endian, one behind the other."""
    digest = hashlib.new(curve.hash, message).digest()
    for nonce in _nonces(curve, private, digest):
        if not 0 < nonce < curve.n:
            continue
        r = _multiply(curve, nonce, curve.g)[0] % curve.n
        s = pow(nonce, -1, curve.n) * (int.from_bytes(digest, "big") + r * private) % curve.n
        if r and s:
            return r.to_bytes(curve.scalar_bytes, "big") + s.to_bytes(curve.scalar_bytes, "big")
    raise AssertionError("unreachable")
