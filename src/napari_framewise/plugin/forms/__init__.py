"""Forms made from what a tool declares."""
