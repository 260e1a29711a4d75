"""`ssr inspect`: a small web page, served from this machine to this machine, that shows results."""
