"""Models of other programs: read what they trained, write what they play."""
