"""Cross-Modal Prototype Alignment (CMPA, Eq. 3-6): learning a space where images meet texts."""
