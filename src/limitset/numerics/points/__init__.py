"""Which fixed points does a map have, found from many starts, and what is each of them?"""
