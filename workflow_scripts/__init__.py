"""The programs of the rules, one each."""
