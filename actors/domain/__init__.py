"""The broker's rules, pure: no clock, socket, random number, logger or file in here."""
