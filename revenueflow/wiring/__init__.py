"""The only package that names concrete providers: from settings to the capabilities of a process."""
