"""Write what a run was worth as one HTML page: figures, sound, curves, and how to make it again."""
