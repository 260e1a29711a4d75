"""How often Python searches for garbage."""

from __future__ import annotations

import subprocess
import sys

COUNT = """
import gc, sys
from ssr.running.garbage import search_seldom
searches = []
gc.callbacks.append(lambda phase, about: searches.append(phase))
if sys.argv[1] == "seldom":
    search_seldom()
kept = [[] for _ in range(50_000)]
gc.callbacks.clear()
print(len(searches), flush=True)
class Circle:
    def __del__(self):
        print("searched at the end")
circle = Circle()
circle.itself = circle
"""


def printed(how: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_many_objects_are_not_searched_while_they_are_made_nor_at_the_end() -> None:
    searches, *end = printed("as usual")
    assert int(searches) > 50
    assert end == ["searched at the end"]
    assert printed("seldom") == ["0"]
