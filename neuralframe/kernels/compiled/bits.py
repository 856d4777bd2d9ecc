"""Arithmetic on the bits of floating-point numbers, that keeps a loop vectorised.

Written as LLVM instructions, because numba widens 32-bit integers to 64 and cannot read a float's bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic


class _Format:
    """How a floating-point type is laid out in bits."""

    def __init__(self, float_type: types.Float) -> None:
        self.integer = ir.IntType(float_type.bitwidth)
        facts = np.finfo(float_type.name)
        self.mantissa = self.integer(int(facts.nmant))
        self.bias = self.integer(int(facts.maxexp) - 1)
        self.root_half = self.integer(_bits(np.sqrt(facts.dtype.type(0.5))))
        self.rounder = self.integer(_bits(facts.dtype.type(2.0**facts.nmant)))


def _bits(number: np.floating[Any]) -> int:
    return int(number.view(f"i{number.itemsize}"))


@intrinsic
def power_of_two(typing_context: Any, shifted: Any) -> Any:
    """Return 2^n, where n was rounded by adding 1.5 * 2^(bits of the mantissa): `shifted` is that sum."""
    del typing_context

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        del context
        form = _Format(signature.args[0])
        bits = builder.bitcast(arguments[0], form.integer)
        power = builder.shl(builder.add(bits, form.bias), form.mantissa)
        return builder.bitcast(power, arguments[0].type)

    return shifted(shifted), generate


@intrinsic
def exponent_and_mantissa(typing_context: Any, number: Any) -> Any:
    """Return k and m with ``number = 2^k m`` and m from sqrt(1/2) up to sqrt(2); for numbers from 1."""
    del typing_context

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        float_type = arguments[0].type
        form = _Format(signature.args[0])
        bits = builder.bitcast(arguments[0], form.integer)
        exponent = builder.lshr(builder.sub(bits, form.root_half), form.mantissa)
        mantissa = builder.bitcast(builder.sub(bits, builder.shl(exponent, form.mantissa)), float_type)
        # an integer in the low bits of 2^(bits of the mantissa) is added to it: exact, on any processor
        raised = builder.bitcast(builder.or_(exponent, form.rounder), float_type)
        lowered = builder.fsub(raised, builder.bitcast(form.rounder, float_type))
        return context.make_tuple(builder, signature.return_type, (lowered, mantissa))

    return types.UniTuple(number, 2)(number), generate


@intrinsic
def call_at(typing_context: Any, address: Any, arrays: Any, n: Any) -> Any:
    """Call the C function ``void (float *, ..., int64 n)`` at an address with the data of some arrays."""
    del typing_context

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        given = [
            context.make_array(kind)(context, builder, builder.extract_value(arguments[1], place)).data
            for place, kind in enumerate(signature.args[1])
        ]
        given.append(arguments[2])
        function = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(address, arrays, n), generate
