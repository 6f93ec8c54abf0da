"""Stores: one contract (services.Store), one file for each engine."""
