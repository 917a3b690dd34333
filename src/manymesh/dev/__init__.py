"""Tools for those who work on manymesh."""
