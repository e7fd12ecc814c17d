"""Comparison of inert values: what they hold, how near two of them are, and words for what was seen."""
