"""Parts of flat arrays, without what numba's slices do for each: checks of the bounds, and of the sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from neuralframe.kernels.compiled.compiling import inlined

if TYPE_CHECKING:
    from llvmlite import ir

    from neuralframe.core.arrays import Array

Number: TypeAlias = Any
"""One number: float32 or float64, as the arrays are."""

TILE = 256
"""Samples computed at once at most. With 8-16-3, on a Zen 4: 64 and 512 take a quarter longer in float64, 128
takes as long there and a tenth longer in float32."""


@intrinsic
def starting_at(typing_context: Any, array: Any, start: Any) -> Any:
    """Return the part of a flat array that begins at an element; nothing is known of where it ends."""
    del typing_context

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        kind = signature.return_type
        whole = context.make_array(kind)(context, builder, arguments[0])
        part = context.make_array(kind)(context, builder)
        populate_array(
            part,
            data=builder.gep(whole.data, [arguments[1]], inbounds=True),
            shape=whole.shape,
            strides=whole.strides,
            itemsize=whole.itemsize,
            meminfo=whole.meminfo,
            parent=whole.parent,
        )
        return impl_ret_borrowed(context, builder, kind, part._getvalue())  # noqa: SLF001 - numba's own extensions do so

    return array(array, start), generate


@inlined
def rows_from(array: Array, row: int) -> Array:
    """Return the rows of a layer from one of them on: each has `TILE` values, one for each sample."""
    part: Array = starting_at(array, row * TILE)
    return part
