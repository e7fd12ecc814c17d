"""Pages for people who teach: what came in, what students answered, and what the spec does not know yet."""
