"""The one error that a user can cause."""


class InputError(Exception):
    """Bad input: the message names the thing, what is allowed and what came.

    Programs print it as one `error: …` line without a traceback and exit with status 1.
    """
