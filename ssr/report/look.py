"""Where the templates of the page lie, and what stands for them in the params of its rule.

They are no Python: the hash of a program's code doesn't notice that one changes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"


def state_of_templates(folder: Path = FOLDER) -> str:
    """A text that follows from the names and contents of all templates."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name}\n{path.read_text()}\n".encode())
    return f"templates {digest.hexdigest()[:12]}"
