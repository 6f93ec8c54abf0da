"""A day in the life of a large centre, played against the sandbox and judged by somebody else."""
