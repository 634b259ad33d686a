"""New experiments: what ships as a template, what fits a folder of recordings, a file people like to read."""
