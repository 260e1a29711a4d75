"""The settings' models → config.yaml."""

from pathlib import Path

from ssr.config import Config
from ssr.config.settings import render

if __name__ == "__main__":
    Path("config.yaml").write_text(render(Config()))
