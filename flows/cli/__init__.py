"""The command line. Nothing heavy is imported before a command has read its options."""
