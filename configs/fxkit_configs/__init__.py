"""The experiment files that ship: whole ones beside this file, parts to extend in base/."""
