"""Other signers' names and signatures, for those who change one line."""
