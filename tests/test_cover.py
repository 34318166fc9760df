"""What moves on the cover is the network that it says, light, and still for whoever asks."""

import re

import numpy as np

from labsupport import datasets, network
from scripts import cover

STORED = cover.FILE.read_text("utf-8")


def test_the_stored_drawing_is_what_the_network_does():
    assert cover.write() == STORED, "run: python -m scripts.cover"
    assert len(STORED) < 60_000


def test_the_network_learns_xor_and_the_ball_lies_as_deep_as_its_loss():
    net, seen, losses = cover.train()
    assert network.accuracy(net, seen[0], *datasets.xor()) < 1
    assert network.accuracy(net, seen[-1], *datasets.xor()) == 1
    at = re.findall(r"%{transform:translate\(\d+px,(\d+)px", STORED)
    heights = np.array(at, dtype=int)
    assert len(heights) == len(seen) + 1 and heights[-1] == heights[-2]
    lowest, highest = heights[-1], heights[0]
    share = (lowest - heights[:-1]) / (lowest - highest)
    assert abs(share - (losses - losses[-1]) / (losses[0] - losses[-1])).max() < 0.03


def test_a_line_has_no_corner_within_a_straight_part():
    ring = np.array([[0, 0], [4, 0], [9.9, 0], [10, 7], [0, 0]])
    assert cover.outline(ring) == "M0 0l10 0 0 7z"
