"""Which recipes can be run? Each file holds one `PROTOCOL`, found by entry point."""
