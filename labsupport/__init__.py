"""What the chapters of the lab manual share.

What a chapter imports lies flat; a folder (`gradcheck`, `records`, `widgets`, `feedback`) is
machinery behind one door. Eight floors; a module imports only from floors above it in this list:

1. what arrives, and tables: `checks`, `tables`
2. values, functions, rules, lines and colours: `activations`, `datasets`, `drawing`, `history`,
   `initialisers`, `losses`, `parameters`, `rules`
3. forward and backward: `autograd`, `network`
4. what is done to a network: `descent`, `figures`, `gradcheck`, `lines`, `momentum`, `probes`
5. what is built on that: `audit`, `bugs`, `torch_twin`
6. the lab records, the mistakes beside their checks, many workers: `parallel`, `records`, `zoo`
7. what moves in a page: `widgets`
8. what is said of a student's work: `feedback`

Importing the package loads none of them: write ``from labsupport import network``.
Every algorithm here is shown line by line in a chapter, which asserts that both agree.
"""

__version__ = "0.2.0"
