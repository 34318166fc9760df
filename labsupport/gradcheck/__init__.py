"""Check a gradient, or say why nothing has been shown. Taught in :ref:`ch-gradcheck`.

`differences` measures slopes, `agreement` puts two gradients side by side, `tensors` reads what a
program keeps them in. Works for anything that gives a loss and gradients: tensors may be NumPy
arrays or PyTorch's, in a dict or a NamedTuple.
"""

from labsupport.gradcheck.agreement import GradientCheck, relative_error
from labsupport.gradcheck.differences import Taylor, central_difference
from labsupport.gradcheck.gradients import (
    autograd,
    check,
    check_steps,
    compare,
    complex_step,
    implied_gradient,
    taylor,
)

__all__ = [
    "GradientCheck",
    "Taylor",
    "autograd",
    "central_difference",
    "check",
    "check_steps",
    "compare",
    "complex_step",
    "implied_gradient",
    "relative_error",
    "taylor",
]
