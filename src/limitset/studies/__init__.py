"""Recipes: each study turns a specification into a folder with rows, numbers and a page."""
