"""What is installed: the files, metadata and bytecode of each distribution."""
