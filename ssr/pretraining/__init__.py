"""Pretraining of the demo's two small backbones on procedural web scenes."""
