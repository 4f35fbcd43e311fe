"""How are many runs iterated together, checked, and sorted by where they end?"""
