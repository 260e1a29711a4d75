"""Whether a results folder is sound: what `ssr doctor` finds, one module for each kind."""
