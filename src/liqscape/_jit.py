"""The only module that touches numba: how kernels are compiled, cached and warmed up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a kernel: arrays and scalars in, `out` arrays filled; cached on disk, runs without the interpreter lock.

    `error_model="numpy"` and no fast-math: results are the same in every process on one platform.
    """
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
