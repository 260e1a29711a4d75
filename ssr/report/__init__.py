"""A page of pictures, curves and tables for a finished run."""
