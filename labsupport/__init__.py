"""What the chapters of the lab manual share.

Four floors, imports only downwards:

1. `arrays`, `datasets`, `activations`, `losses`, `initialisers`: plain values and functions.
2. `network`: parameters, forward pass, backward pass.
3. `descent`, `gradcheck`, `torch_twin`: what is done to a network.
4. `figures`, `records`: what is shown.

Importing the package loads none of them: write `from labsupport import network`.
Every algorithm here is shown line by line in a chapter, which asserts that both agree.
"""

__version__ = "0.1.0"
