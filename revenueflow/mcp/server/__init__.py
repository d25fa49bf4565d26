"""The guarded tools over the Model Context Protocol: HTTP and stdio, any client."""
