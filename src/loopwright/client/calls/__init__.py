"""Builders of calls, a module a resource: arguments of a method in, a `Call` out. Pure."""
