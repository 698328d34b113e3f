"""The Deploy screen."""
