"""What the chapters of the lab manual share.

Four floors, imports only downwards:

1. plain values and functions: `arrays`, `datasets`, `activations`, `losses`, `initialisers`;
   `differences`, `agreement` and `tensors` for comparing gradients; `parameters`, `rules` and
   `history` of a training.
2. `network`: parameters, forward pass, backward pass.
3. what is done to a network: `descent` and the `probes` it takes along, `gradcheck`, `bugs` and
   the `zoo` that trains with them, `audit`, `torch_twin`, `torch_armijo` and `torch_records`.
4. what is shown: `figures`, `tables`, `stepper`, `slider`, `playground`, `records`; and
   `feedback`, the self-checks of the `exercises`, which say what `trials`, `mistakes` and
   `diagnosis` have found as a `verdict`.

Importing the package loads none of them: write `from labsupport import network`.
Every algorithm here is shown line by line in a chapter, which asserts that both agree.
"""

__version__ = "0.1.0"
