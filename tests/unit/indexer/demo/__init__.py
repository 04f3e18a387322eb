"""Tests that need no disk and no network."""
