"""The loop behind flow streams: how a bar's flow compares with the usual one of the bars before."""

from __future__ import annotations

import math

from liqscape._jit import kernel
from liqscape.model.arrays import FloatArray as F


@kernel
def relative(flow: F, memory: F, decay: float, out: F) -> None:
    """Divide each bar's flow by the discounted average of the known ones up to it.

    flow : float64[n, S, 2], of longs and shorts, >= 0; NaN is unknown
    memory : float64[S, 2, 2] = per stream and side (discounted sum, discounted count), changed in place
    decay : float64, forgetting per bar
    out : float64[n, S, 2], filled; 1 where the flow is unknown (the usual rate), 0 where nothing has ever flowed
    """
    for i in range(flow.shape[0]):
        for j in range(flow.shape[1]):
            for s in range(2):
                if math.isnan(flow[i, j, s]):
                    out[i, j, s] = 1.0
                    continue
                memory[j, s, 0] = decay * memory[j, s, 0] + flow[i, j, s]
                memory[j, s, 1] = decay * memory[j, s, 1] + 1.0
                out[i, j, s] = flow[i, j, s] * memory[j, s, 1] / memory[j, s, 0] if memory[j, s, 0] > 0.0 else 0.0
