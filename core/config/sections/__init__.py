"""The tables of the TOML, one module each. Every option is defined here and nowhere else."""
