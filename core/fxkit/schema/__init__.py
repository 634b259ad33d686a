"""Write the experiment file's JSON Schema from the kernel's tables and the installed plugins' specs."""
