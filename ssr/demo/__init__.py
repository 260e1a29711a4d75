"""The demo's procedural world: scenes with exact masks, drawn from a seed alone."""

from ssr.demo.scenes import Scene, make_scene, make_scenes
from ssr.demo.vocabulary import CLASSES, IGNORED, SIDE, STUFF

__all__ = ["CLASSES", "IGNORED", "SIDE", "STUFF", "Scene", "make_scene", "make_scenes"]
