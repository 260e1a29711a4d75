"""The version, in this one place; CHANGELOG.md says what each one brought."""

__version__ = "0.2.0"
