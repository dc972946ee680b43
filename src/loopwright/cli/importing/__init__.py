"""Importing a file: rows become events or contacts, each sent once however often it is interrupted.

Reads CSV, JSON Lines or Parquet, a piece at a time, and the state an earlier import of the file left.
Writes that state and a file of rejected rows; hands the events on to the SDK's client.
"""
