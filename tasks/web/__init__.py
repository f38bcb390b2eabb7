"""Trained runs on the web: a JSON API and a page, of any task, on this machine first of all."""
