"""The contract: what travels between a client and the server, one module a resource.

Reads and writes nothing: values, Structs, limits and texts only.
Hands on to the SDK and to the server, which both import it and meet nowhere else.
"""
