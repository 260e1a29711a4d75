"""SSR: weakly supervised semantic segmentation with CLIP, as plain functions on arrays."""
