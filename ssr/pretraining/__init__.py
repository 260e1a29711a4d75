"""Small CLIPs and DINOs trained from scratch: the demo's, and stand-ins for a user's own domain."""
