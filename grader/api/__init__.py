"""The HTTP service: JSON for programs, plain pages for people. One noun a file; ``app`` joins them."""
