"""Between the command line and a person: options, tables, the console."""
