"""The version, readable without looking for installed files."""

VERSION = "0.1.0"
