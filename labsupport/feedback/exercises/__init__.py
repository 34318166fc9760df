"""Self-checks of the exercises, a module a chapter; each collects its own in CHECKS, by label.

The expected values are computed here and never shown.
"""
